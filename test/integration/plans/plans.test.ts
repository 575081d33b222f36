import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { expirePayloads, removeDeliveredPayloads } from '../../../src/data-sinks/payload/payload-expiry.js';
import {
  type AttemptClosing,
  closeAttempts,
  endingsOnRecord,
  openAttempts,
} from '../../../src/data-sinks/persistence/attempt-log.js';
import { AttemptRepository } from '../../../src/data-sinks/persistence/attempt.repository.js';
import { claimDeliveries } from '../../../src/data-sinks/persistence/claim-deliveries.js';
import { findUnheard, recordCompletions } from '../../../src/data-sinks/persistence/completion-recording.js';
import { DataSinkRepository } from '../../../src/data-sinks/persistence/data-sink.repository.js';
import {
  endWaitingParts,
  failLastParts,
  othersOf,
  releaseLastParts,
} from '../../../src/data-sinks/persistence/delivery-parts.js';
import { DeliveryRepository } from '../../../src/data-sinks/persistence/delivery.repository.js';
import { disableFailing } from '../../../src/data-sinks/persistence/disabling.js';
import {
  endDeliveries,
  extendLeases,
  releaseDeliveries,
  sweepExpiredLeases,
} from '../../../src/data-sinks/persistence/lease-keeping.js';
import { nextDueInMs } from '../../../src/data-sinks/persistence/next-due.js';
import { PreparedSession } from '../../../src/data-sinks/persistence/prepared-session.js';
import { findUnfinished, finishRecovery, redeliverNext } from '../../../src/data-sinks/persistence/recovery-pacing.js';
import { redeliver } from '../../../src/data-sinks/persistence/redelivery.js';
import { releaseUnopened } from '../../../src/data-sinks/persistence/release-unopened.js';
import { removeExpired, removeExpiredCompletions } from '../../../src/data-sinks/persistence/retention.js';
import { pauseDownSinks, resumeSinks } from '../../../src/data-sinks/persistence/sink-pausing.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { CONFIG } from '../persistence/module-database.js';
import { deliveryId, fillTables, sinkId } from './large-tables.js';
import { recordStatements, tablesReadThrough } from './query-plans.js';

/** 10,000,000 in the bench (`npm run bench -- --only plans`). */
const ATTEMPTS = Number(process.env['PLAN_ATTEMPTS'] ?? 200_000);

let database: TestDatabase;
let dataSource: DataSource;
let session: PreparedSession;

beforeAll(
  async () => {
    database = await migratedPostgres(dataSinksMigrations);
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: dataSinksEntities,
    }).initialize();
    session = new PreparedSession(dataSource);
    await fillTables(dataSource, ATTEMPTS);
  },
  60_000 + ATTEMPTS / 10,
);

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const SINK = sinkId(8);
const JOB = { jobId: 'job_17', run: 1, recipe: 'JSON' } as const;
const TOKEN = '00000000-0000-4000-8000-000000000000';
const HELD = Array.from({ length: 64 }, (_, i) => ({
  id: deliveryId(i * 7),
  leaseToken: TOKEN,
}));
const IN_FLIGHT = deliveryId(502);
const DAY_MS = 86_400_000;
const COMPLETIONS = Array.from({ length: 64 }, (_, i) => ({
  ...{ jobId: `job_new_${i}`, run: 1, workspaceId: 'ws_1', agentId: 'agt_1', completedAt: new Date() },
  stats: { total: 1, matched: 1, unmatched: 0 },
}));
const CHOSEN = { workspaceId: 'ws_8', dataSourceId: SINK };
const PAGE = { limit: 50, afterId: deliveryId(50_000) };

const PUSH = { dataSourceId: SINK, jobId: 'job_17', run: 1, of: 3 };
const REDELIVERIES = HELD.map(({ id }) => ({ workspaceId: 'ws_8', id, recoveryId: null }));

const CLOSINGS = HELD.map(({ id, leaseToken }, i): AttemptClosing => ({
  opened: { attemptId: `syn_${i}`, deliveryId: id, attemptNumber: 1, startedAt: new Date() },
  ...{ leaseToken, status: 'SUCCEEDED', errorCode: null, httpStatus: 200 },
  timings: { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 1 },
  ...{ answerExcerpt: null, answerEnding: null, ownFailure: false },
  plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
}));

const STATEMENTS: Readonly<Record<string, () => Promise<unknown>>> = {
  'recording completions': () =>
    recordCompletions(
      session,
      'AUTO',
      COMPLETIONS,
      COMPLETIONS.map(({ jobId, workspaceId, agentId }, i) => ({
        ...{ id: `dlv_new_${i}`, dataSourceId: SINK, jobId, run: 1, workspaceId, agentId, format: 'JSON' as const },
        ...{ retriesAllowed: 2, recipe: 'JSON', part: 1, partCount: 1 },
      })),
    ),
  'looking for unheard completions': () => findUnheard(session, COMPLETIONS),
  claiming: () =>
    claimDeliveries(
      session,
      { batch: 64, inFlightPerSink: 16, inFlightPerWorkspace: 256, leaseMs: 60_000 },
      { after: sinkId(5), fullWorkspaces: ['ws_3'] },
    ),
  'looking for what is due next': () => nextDueInMs(session),
  'opening attempts': () =>
    openAttempts(
      session,
      'worker',
      HELD.map(({ id, leaseToken }, i) => ({
        ...{
          attemptId: `syn_new_${i}`,
          deliveryId: id,
          leaseToken,
          url: CONFIG.url,
          authScheme: 'HmacSha256' as const,
        },
        ...{ configVersion: 1, payload: { bodyId: 'pld_1', sha256: '00', bytes: 1, rows: 1 } },
      })),
    ),
  'closing attempts': () => closeAttempts(session, CLOSINGS),
  'looking for endings on record': () => endingsOnRecord(session, CLOSINGS),
  'extending leases': () => extendLeases(session, HELD, 60_000),
  'releasing deliveries': () =>
    releaseDeliveries(
      session,
      HELD.map((held) => ({ ...held, waitMs: 1, ownFailure: false })),
    ),
  'releasing those whose attempts were not opened': async () => {
    const ofLease = 'SELECT id, lease_token AS "leaseToken" FROM agent_data_source_delivery WHERE id = $1';
    const [held] = await dataSource.query<{ id: string; leaseToken: string }[]>(ofLease, [deliveryId(1_002)]);
    if (!held) throw new Error('nothing is in flight');
    const unopened = [...HELD, held].map((holder) => ({ ...holder, waitMs: 1 }));
    const released = await dataSource.transaction((transaction) => releaseUnopened(transaction, unopened, 60_000));
    expect(released).toContain(held.leaseToken);
  },
  'ending deliveries': () =>
    endDeliveries(
      session,
      HELD.map((held) => ({ ...held, status: 'CANCELLED' as const, reason: 'sink_inactive' as const })),
    ),
  'sweeping leases': async () => {
    const gone = `UPDATE agent_data_source_delivery SET lease_expires_at = now() - interval '1 second' WHERE id = $1`;
    await dataSource.query(gone, [IN_FLIGHT]);
    expect(await sweepExpiredLeases(dataSource.manager, 5)).toHaveLength(1);
  },
  'judging sinks that fail': () =>
    disableFailing(session, [{ dataSourceId: SINK, gone: false }], { failures: 100_000, withinMs: DAY_MS }),
  'pausing and resuming sinks': async () => {
    await pauseDownSinks(session, [{ dataSourceId: SINK, failures: 1 }], { failures: 9, pauseMs: 1, longestMs: 1 });
    await resumeSinks(session, [SINK]);
  },
  'finding a body': () => new PayloadStore(session, 60_000).find(JOB),
  'reading a body': () => new PayloadStore(session, 60_000).readChunks('pld_job_17', 0, 4),
  'storing a body': () =>
    new PayloadStore(session, 60_000).insertWhole(
      { ...JOB, jobId: 'job_stored' },
      { bodyId: 'pld_stored', sha256: '00', bytes: 1, rows: 1 },
      Buffer.from('x'),
    ),
  'a page of deliveries': () => new DeliveryRepository(dataSource.manager).list(CHOSEN, PAGE),
  'a page of deliveries, oldest first': () =>
    new DeliveryRepository(dataSource.manager).list({ ...CHOSEN, order: 'oldest' }, PAGE),
  'a page of failed deliveries': () =>
    new DeliveryRepository(dataSource.manager).list({ ...CHOSEN, statuses: ['FAILED'] }, PAGE),
  'the delivery of a job': () => new DeliveryRepository(dataSource.manager).findByJob('ws_8', SINK, 'job_17', 1),
  'a page of attempts': () => new AttemptRepository(dataSource.manager).list(CHOSEN, { limit: 50, afterId: null }),
  'the attempts of a delivery': () =>
    new AttemptRepository(dataSource.manager).list(
      { workspaceId: 'ws_8', deliveryId: HELD[3]?.id ?? '' },
      { limit: 50, afterId: null },
    ),
  'the health of a sink': () => new DeliveryRepository(dataSource.manager).healthOf(SINK, Date.now()),
  redelivering: () => new DeliveryRepository(dataSource.manager).redeliver('ws_8', HELD[3]?.id ?? ''),
  'releasing last parts': () => releaseLastParts(session, [PUSH]),
  'failing last parts': () => failLastParts(session, [deliveryId(21)]),
  'ending parts that wait': () => endWaitingParts(session, [PUSH], 'results_invalid'),
  'asking for the other parts': () => othersOf(session, deliveryId(21)),
  'redelivering several': () => redeliver(session, REDELIVERIES, ['FAILED']),
  'pacing recoveries': async () => {
    await findUnfinished(session);
    await dataSource.transaction((transaction) => redeliverNext(transaction, 'rcv_1', 64));
    await dataSource.transaction((transaction) => finishRecovery(transaction, 'rcv_1'));
  },
  'the sinks of agents': () => new DataSinkRepository(dataSource.manager).listWanting(['agt_1', 'agt_2']),
  'removing delivered payloads': () => removeDeliveredPayloads(dataSource.manager, [JOB]),
  'expiring payloads': () => expirePayloads(dataSource.manager, DAY_MS),
  'expiring deliveries': () => removeExpired(dataSource.manager, 'delivery', 365 * DAY_MS),
  'expiring completions': () => removeExpiredCompletions(dataSource.manager, 365 * DAY_MS),
};

describe(`on tables of ${ATTEMPTS} attempts and half as many deliveries`, () => {
  it.each(Object.entries(STATEMENTS))('no table that grows is read through for %s', async (_name, run) => {
    const sent = await recordStatements(dataSource, run);
    expect(sent.length).toBeGreaterThan(0);
    for (const statement of sent) expect(await tablesReadThrough(dataSource, statement)).toEqual([]);
  });

  it('a statement that does is seen', async () => {
    const all = () => dataSource.query(`SELECT count(*) FROM agent_data_source_sync WHERE answer_excerpt = 'x'`);
    const [statement] = await recordStatements(dataSource, all);
    expect(statement && (await tablesReadThrough(dataSource, statement))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^agent_data_source_sync_/)]),
    );
  });
});
