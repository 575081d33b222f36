import { PartStore } from '../../../src/data-sinks/payload/part-store.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { expirePayloads, removeDeliveredPayloads } from '../../../src/data-sinks/payload/payload-expiry.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { closeAttempts, endingsOnRecord } from '../../../src/data-sinks/delivery/attempt.sql.js';
import { AttemptRepository } from '../../../src/data-sinks/delivery/attempt.repository.js';
import { claimDeliveries, FROM_THE_START } from '../../../src/data-sinks/queue/claim-deliveries.js';
import {
  findUnheard,
  recordAndLease,
  recordCompletions,
} from '../../../src/data-sinks/intake/delivery-recorder.sql.js';
import type { AttemptClosing } from '../../../src/data-sinks/domain/attempt-end.js';
import type { Database } from '../../../src/data-sinks/database/database.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import {
  endWaitingParts,
  failLastParts,
  listWaitingLastParts,
  othersOf,
  releaseLastParts,
} from '../../../src/data-sinks/settlement/delivery-parts.sql.js';
import type { PageRequest } from '../../../src/data-sinks/database/page.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { giveBackEnds, removeEnds, takeEnds } from '../../../src/data-sinks/settlement/audit-outbox.sql.js';
import { disableFailing } from '../../../src/data-sinks/settlement/auto-disable.sql.js';
import {
  endDeliveries,
  extendLeases,
  releaseDeliveries,
  sweepExpiredLeases,
} from '../../../src/data-sinks/queue/lease.sql.js';
import { nextDueInMs } from '../../../src/data-sinks/queue/next-due.sql.js';
import { queueState } from '../../../src/data-sinks/queue/queue-state.sql.js';
import { findUnfinished, finishRecovery, redeliverNext } from '../../../src/data-sinks/recovery/recovery-pacer.sql.js';
import { RecoveryRepository } from '../../../src/data-sinks/recovery/recovery.repository.js';
import { redeliver } from '../../../src/data-sinks/delivery/redelivery.sql.js';
import { bringForward, cancelWaiting } from '../../../src/data-sinks/delivery/waiting.sql.js';
import { releaseUnopened } from '../../../src/data-sinks/delivery/release-unopened.sql.js';
import { removeExpired, removeExpiredCompletions } from '../../../src/data-sinks/upkeep/retention.sql.js';
import { openCircuits, closeCircuits } from '../../../src/data-sinks/settlement/sink-circuit.sql.js';
import { stub } from '../../support/stub.js';
import { CONFIG } from '../persistence/module-database.js';
import { deliveryId, IN_FLIGHT_EVERY, LEASE, RECOVERY, type Sizes, sinkId } from './large-tables.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';

const DAY_MS = 86_400_000;
const SINK = sinkId(8);
const OF_SINK = { workspaceId: 'ws_8', dataSourceId: SINK };
const JOB = { workspaceId: 'ws_17', jobId: 'job_17', run: 1, recipe: 'JSON' } as const;
const PUSH = { workspaceId: 'ws_8', dataSourceId: SINK, jobId: 'job_17', run: 2, of: 3 };
const LIMITS = {
  batch: 64,
  inFlightPerSink: 16,
  inFlightPerWorkspace: 256,
  leaseMs: 60_000,
  leasePrefix: new ThisWorker().leasePrefix,
};
const COMPLETIONS = Array.from({ length: 64 }, (_, i) => ({
  ...{ jobId: `job_new_${i}`, run: 1, workspaceId: 'ws_1', agentId: 'agt_1', completedAt: new Date() },
  stats: { total: 1, matched: 1, unmatched: 0 },
}));
const FIRST_PAGE = { limit: 50, afterId: null };

type Filter = Omit<Parameters<DeliveryRepository['list']>[0], 'workspaceId' | 'dataSourceId'>;

/** Every filter that an index of its own serves, and those that none does, which find nothing and look at all that they may. */
const FILTERS: Readonly<Record<string, Filter>> = {
  'newest first': {},
  'oldest first': { order: 'oldest' },
  failed: { statuses: ['FAILED'] },
  waiting: { statuses: ['PENDING', 'RETRYING'] },
  'in flight': { statuses: ['IN_FLIGHT'] },
  cancelled: { statuses: ['CANCELLED'] },
  'cancelled, oldest first': { statuses: ['CANCELLED'], order: 'oldest' },
  'of a job': { jobId: 'job_17' },
  recent: { since: new Date(Date.now() - 600_000) },
  'before a time': { until: new Date(Date.now() - 600_000) },
  'of an error that is rare': { errorCode: 'tls_untrusted_certificate' },
};

type Work = (database: Database) => Promise<unknown>;

/** Pages of people's lists: of a sink and of a workspace, and of a sink's attempts. */
function pages(middle: PageRequest): Readonly<Record<string, Work>> {
  const all = Object.entries(FILTERS).flatMap(([what, filter]): [string, Work][] => [
    [
      `a page of a sink’s deliveries, ${what}`,
      (database) => new DeliveryRepository(database).list({ ...OF_SINK, ...filter }, FIRST_PAGE),
    ],
    [
      `a page of a workspace’s deliveries, ${what}`,
      async (database) => {
        const sinks = await new DataSinkRepository(database).idsOfHistory('ws_8', { agentIds: ['agt_8', 'agt_28'] });
        await new DeliveryRepository(database).list(
          { workspaceId: 'ws_8', dataSourceId: sinks, ...filter },
          FIRST_PAGE,
        );
      },
    ],
  ]);
  const { 'of a job': ofJob, recent, 'of an error that is rare': ofError } = FILTERS;
  const attempts = Object.entries({ all: {}, 'of a job': ofJob, recent, 'of an error that is rare': ofError });
  return {
    ...Object.fromEntries(all),
    'a page in the middle of a sink’s deliveries': (database) => new DeliveryRepository(database).list(OF_SINK, middle),
    ...Object.fromEntries(
      attempts.map(([what, filter]): [string, Work] => [
        `a page of attempts, ${what}`,
        (database) => new AttemptRepository(database).list({ ...OF_SINK, ...(filter as object) }, FIRST_PAGE),
      ]),
    ),
  };
}

/** Whatever is sent to the database while deliveries are made, sent, retried, settled, listed and removed, by what it is for. */
export function hotStatements({ settled }: Sizes): Readonly<Record<string, (database: Database) => Promise<unknown>>> {
  const held = Array.from({ length: 64 }, (_, i) => ({
    id: deliveryId(settled + i * IN_FLIGHT_EVERY),
    leaseToken: LEASE,
  }));
  const ended = Array.from({ length: 64 }, (_, i) => deliveryId(50 * i + 3));
  const closings = held.map(({ id, leaseToken }, i): AttemptClosing => ({
    opened: { attemptId: `syn_${i}`, deliveryId: id, attemptNumber: 1, startedAt: new Date() },
    ...{ leaseToken, status: 'SUCCEEDED', errorCode: null, httpStatus: 200 },
    timings: { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 1 },
    ...{ answerExcerpt: null, answerEnding: null, receiverDown: false, ownFailure: false },
    plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
  }));
  const middle = { limit: 50, afterId: deliveryId(settled / 2) };
  const build = { workspaceId: 'ws_17', jobId: 'job_17', run: 1, group: 'PARTS', buildId: 'pld_build' };
  const making = (partCount: number) =>
    COMPLETIONS.flatMap(({ jobId, workspaceId, agentId }, i) =>
      Array.from({ length: partCount }, (_, part) => ({
        ...{
          id: `dlv_new_${i}_${part}`,
          dataSourceId: SINK,
          jobId,
          run: 1,
          workspaceId,
          agentId,
          format: 'JSON' as const,
        },
        ...{ retriesAllowed: 2, recipe: 'JSON', part: part + 1, partCount },
      })),
    );
  return {
    'recording completions': (database) => recordCompletions(database, 'AUTO', COMPLETIONS, making(1)),
    'recording completions in parts': (database) => recordCompletions(database, 'AUTO', COMPLETIONS, making(3)),
    'recording completions and leasing their deliveries': (database) => {
      const deliveries = making(1).map((one, i) => ({ ...one, dataSourceId: sinkId(i * 20 + 5) }));
      return recordAndLease(database, COMPLETIONS, deliveries, {
        tokens: new Map(deliveries.map(({ id }) => [id, LEASE])),
        ...{ leaseMs: 60_000, inFlightPerSink: 16, inFlightPerWorkspace: 256 },
      });
    },
    'looking for unheard completions': (database) =>
      findUnheard(
        database,
        COMPLETIONS.map((completion, i) => ({ ...completion, jobId: `job_${i * 11}` })),
      ),
    'a first claim': (database) => claimDeliveries(database, LIMITS, FROM_THE_START),
    'a claim in the middle of its round': (database) =>
      claimDeliveries(database, LIMITS, {
        ...{ after: 'ws_5', origin: 'ws_2', fullWorkspaces: ['ws_3'], patience: 16 },
        places: new Map([['ws_7', { at: sinkId(7), from: sinkId(27) }]]),
      }),
    'looking for what is due next': (database) => nextDueInMs(database),
    'looking for what is due next behind a disabled sink': async (database) => {
      await database.query(`UPDATE agent_data_source SET status = 'DISABLED' WHERE id <> $1`, [SINK]);
      await nextDueInMs(database);
    },
    'counting what waits and is in flight': (database) =>
      queueState(database, { inFlightPerSink: 16, inFlightPerWorkspace: 256 }),
    'opening attempts': (database) =>
      openAttempts(
        database,
        'worker',
        held.map(({ id, leaseToken }, i) => ({
          ...{
            attemptId: `syn_new_${i}`,
            deliveryId: id,
            leaseToken,
            url: CONFIG.url,
            authScheme: 'HmacSha256' as const,
          },
          ...{ configVersion: 1, payload: { bodyId: 'pld_1', sha256: '00', bytes: 1, rows: 1 } },
          ...{ unstored: null, handedOver: true },
        })),
      ),
    'opening attempts and storing their bodies': (database) =>
      openAttempts(
        database,
        'worker',
        held.map(({ id, leaseToken }, i) => {
          const payload = { bodyId: `pld_new_${i}`, sha256: '00', bytes: 1, rows: 1 };
          return {
            ...{ attemptId: `syn_new_${i}`, deliveryId: id, leaseToken, url: CONFIG.url, configVersion: 1, payload },
            ...{ authScheme: 'HmacSha256' as const, handedOver: false },
            unstored: { key: { ...JOB, jobId: `job_unstored_${i}` }, payload, chunk: Buffer.from('x') },
          };
        }),
      ),
    'closing attempts': (database) => closeAttempts(database, closings),
    'passing on the ends of deliveries': async (database) => {
      await closeAttempts(database, closings);
      const ends = await takeEnds(database, 500, 60_000);
      await giveBackEnds(database, ends);
      await removeEnds(database, ends);
    },
    'looking for endings on record': (database) => endingsOnRecord(database, closings),
    'extending leases': (database) => extendLeases(database, held, 60_000),
    'releasing deliveries': (database) =>
      releaseDeliveries(
        database,
        held.map((holder) => ({ ...holder, waitMs: 1, ownFailure: false })),
      ),
    'releasing those whose attempts were not opened': (database) =>
      releaseUnopened(
        database,
        held.map((holder) => ({ ...holder, waitMs: 1 })),
        600_000,
      ),
    'ending deliveries': (database) =>
      endDeliveries(
        database,
        held.map((holder) => ({ ...holder, status: 'CANCELLED' as const, reason: 'sink_inactive' as const })),
      ),
    'sweeping leases': (database) =>
      sweepExpiredLeases(database, { includeGoneWorkers: true, maxAbandoned: 5, limit: 64 }),
    'judging sinks that fail': (database) =>
      disableFailing(database, [{ deliveryId: ended[0] ?? '', dataSourceId: SINK, gone: false }], {
        ...{ failures: 20, afterMs: 1, attemptRetentionMs: 90 * DAY_MS },
      }),
    'pausing and resuming sinks': async (database) => {
      await openCircuits(database, [{ dataSourceId: SINK, failures: 1 }], { failures: 9, pauseMs: 1, longestMs: 1 });
      await closeCircuits(database, [SINK]);
    },
    'finding a body': (database) => new PayloadStore(database, stub({ leaseMs: 60_000 })).find(JOB),
    'reading a body': (database) =>
      new PayloadStore(database, stub({ leaseMs: 60_000 })).readChunks('pld_ws_8job_17_2', 0, 4),
    'storing a body': (database) =>
      new PayloadStore(database, stub({ leaseMs: 60_000 })).insertWhole(
        { ...JOB, jobId: 'job_stored' },
        { bodyId: 'pld_stored', sha256: '00', bytes: 1, rows: 1 },
        Buffer.from('x'),
      ),
    'building a body': async (database) => {
      const store = new PayloadStore(database, stub({ leaseMs: 60_000 }));
      const key = { ...JOB, recipe: 'CSV' };
      await store.beginBuild(key, 'pld_built');
      await store.extendBuild(key, 'pld_built');
      await store.appendChunk(key, 'pld_built', 0, Buffer.from('x'));
      await store.abandonBuild(key, 'pld_built');
    },
    'building the parts of a body': async (database) => {
      const parts = new PartStore(database, 60_000);
      await parts.wanted(JOB, ['JSON', 'PARTS']);
      await parts.publish(build);
      await parts.end(build);
    },
    ...pages(middle),
    'the delivery of a job': (database) => new DeliveryRepository(database).findByJob('ws_8', SINK, 'job_17', 1),
    'one delivery': (database) => new DeliveryRepository(database).find('ws_8', ended[0] ?? ''),
    'the attempts of a delivery': (database) => new AttemptRepository(database).ofDelivery('ws_8', ended[0] ?? '', 50),
    'the health of a sink': (database) =>
      new DeliveryRepository(database).healthOf({ workspaceId: 'ws_8', id: SINK }, Date.now()),
    'retrying now': (database) => bringForward(database, { workspaceId: 'ws_8', id: deliveryId(settled + 1) }),
    'cancelling what waits': (database) =>
      cancelWaiting(database, { workspaceId: 'ws_8', id: deliveryId(settled + 1) }),
    redelivering: (database) => new DeliveryRepository(database).redeliver('ws_8', ended[0] ?? ''),
    'redelivering several': (database) =>
      redeliver(
        database,
        ended.map((id) => ({ workspaceId: 'ws_8', id, recoveryId: null })),
        ['FAILED'],
      ),
    'releasing last parts': (database) => releaseLastParts(database, [PUSH]),
    'failing last parts': (database) => failLastParts(database, ended),
    'ending parts that wait': (database) => endWaitingParts(database, [PUSH], 'results_invalid'),
    'asking for the other parts': (database) => othersOf(database, { workspaceId: 'ws_4', id: deliveryId(21) }),
    'looking for last parts that wait': (database) => listWaitingLastParts(database, '', 500),
    'pacing recoveries': async (database) => {
      await findUnfinished(database);
      await redeliverNext(database, RECOVERY, 10_000_000);
      await finishRecovery(database, RECOVERY);
    },
    'surveying what a recovery would find': (database) =>
      new RecoveryRepository(database).survey(OF_SINK, { since: new Date(0) }, 100),
    'a page of recoveries': (database) => new RecoveryRepository(database).list(OF_SINK, FIRST_PAGE),
    'the sinks of agents': (database) =>
      new DataSinkRepository(database).listOfAgents([
        { workspaceId: 'ws_1', agentId: 'agt_1' },
        { workspaceId: 'ws_2', agentId: 'agt_2' },
      ]),
    'removing delivered payloads': (database) => removeDeliveredPayloads(database, [JOB]),
    'expiring payloads': (database) => expirePayloads(database, DAY_MS),
    'expiring deliveries': (database) => removeExpired(database, 'delivery', 365 * DAY_MS),
    'expiring completions': (database) => removeExpiredCompletions(database, 365 * DAY_MS),
  };
}
