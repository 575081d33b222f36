// @ts-check
import { setTimeout as delay } from 'node:timers/promises';
import { newJobId, resultRows } from '../harness/platform.js';
import { flushRedis } from '../harness/redis.js';
import { until } from '../harness/until.js';

/** @typedef {import('./scenario.js').Scenario} Scenario */

const TEN_MINUTES_MS = 600_000;

/** @type {readonly Scenario[]} */
export const WORKERS = [
  {
    fault: 'SIGTERM, attempts in flight short of the limit',
    promise: 'they finish, and the worker exits 0 without a duplicate',
    play: async (stage) => {
      const options = { leaseMs: 60_000, shutdownGraceMs: 60_000 };
      const [leaving] = await stage.start({ name: 'leaving', options });
      await stage.receiver({ answerAfterMs: 700 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      leaving.signal('SIGTERM');
      stage.fault();
      const how = await leaving.end();
      if (how !== 0) throw new Error(`the worker ended with ${String(how)}`);
      await stage.receiver({ answerAfterMs: 0 });
      await stage.start({ name: 'successor' });
      await stage.untilClear();
      await stage.expectNoAttempts(`status <> 'SUCCEEDED'`);
    },
  },
  {
    fault: 'SIGTERM in the middle of an upload beyond the limit',
    promise: 'the upload is cut off and given back, and the worker exits 0',
    play: async (stage) => {
      const [leaving] = await stage.start({ name: 'leaving', options: { shutdownGraceMs: 300 } });
      // Far too slow to be done before the signal, however busy the machine is.
      await stage.receiver({ bytesPerSecond: 50_000 });
      await stage.finishJobs(1, { rows: 40_000 });
      await stage.untilReceiver('an upload begins', (ledger) => ledger.length > 0);
      leaving.signal('SIGTERM');
      stage.fault();
      const how = await leaving.end();
      if (how !== 0) throw new Error(`the worker ended with ${String(how)}`);
      await stage.receiver({ bytesPerSecond: 0 });
      await stage.start({ name: 'successor' });
      await stage.untilClear();
      await stage.expectAttempts(`status = 'ABANDONED' AND error_code = 'shutdown' AND worker_id = 'leaving'`);
    },
  },
  {
    fault: 'SIGSTOP of a worker beyond its leases, then SIGCONT',
    promise: 'its late results change no row and are in its log',
    play: async (stage) => {
      const [late] = await stage.start({ name: 'late' });
      // Long enough for the signal to come first; what arrives later is answered at once.
      await stage.receiver({ answerAfterMs: 10_000 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      late.signal('SIGSTOP');
      stage.fault();
      await stage.receiver({ answerAfterMs: 0 });
      await stage.start({ name: 'other' });
      await stage.untilClear();
      late.signal('SIGCONT');
      await stage.expectAttempts(`status = 'ABANDONED' AND error_code = 'worker_lost' AND worker_id = 'late'`);
      await until('the late results are logged', () =>
        late.logged('delivery.attempted').some((line) => line['recorded'] === false),
      );
      await stage.finishJobs(5);
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGKILL of a worker whose leases last ten minutes',
    promise: 'another takes them back once the database has closed its connections',
    play: async (stage) => {
      const options = { leaseMs: TEN_MINUTES_MS };
      const [killed] = await stage.start({ name: 'killed', options });
      await stage.receiver({ answerAfterMs: TEN_MINUTES_MS });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      killed.signal('SIGKILL');
      stage.fault();
      await stage.receiver({ answerAfterMs: 0 });
      await stage.start({ name: 'other', options });
      await stage.untilClear();
      await stage.expectAttempts(`status = 'ABANDONED' AND error_code = 'worker_lost' AND worker_id = 'killed'`);
    },
  },
  {
    fault: 'SIGKILL of a worker whose leases last ten minutes, while it makes a body',
    promise: 'another makes it, and does not wait for the lease',
    play: async (stage) => {
      const options = { leaseMs: TEN_MINUTES_MS };
      const [killed] = await stage.start({ name: 'killed', options, failpoint: 'mid-build' });
      stage.faultWhenEnds(killed);
      const feeding = stage.finishJobs(1, { rows: 40_000 });
      await stage.untilKilled(killed);
      await stage.start({ name: 'other', options });
      await feeding;
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGSTOP of a worker for longer than its heartbeats, then SIGCONT',
    promise: 'it keeps its connection and with it its leases, and nothing is sent twice',
    play: async (stage) => {
      const options = { leaseMs: TEN_MINUTES_MS };
      const [slow] = await stage.start({ name: 'slow', options });
      await stage.receiver({ answerAfterMs: 20_000 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      slow.signal('SIGSTOP');
      stage.fault();
      await stage.start({ name: 'other', options });
      const [from] = await stage.query('SELECT now() AS now');
      await until('the other has seen nothing of it for long', async () => {
        const [row] = await stage.query(
          `SELECT bool_or(name = 'other' AND seen_at > $1::timestamptz + interval '15 seconds') AS seen
             FROM agent_data_source_worker`,
          [from?.['now']],
        );
        return row?.['seen'] === true;
      });
      slow.signal('SIGCONT');
      await stage.untilClear();
      await stage.expectNoAttempts(`status = 'ABANDONED'`);
    },
  },
  {
    fault: 'clock of one worker ten minutes ahead',
    promise: 'the database’s time decides what is due, who holds it, and what is signed',
    play: async (stage) => {
      // Longer than a busy machine keeps a heartbeat waiting, and shorter than the long upload.
      const options = { leaseMs: 10_000 };
      const [ahead, right] = await stage.start(
        { name: 'ahead', clockAheadMs: TEN_MINUTES_MS, options },
        { name: 'right', options },
      );
      await stage.receiver({ failShare: 1 / 3, answerAfterMs: 20 });
      stage.fault();
      await stage.finishJobs(40);
      // Its heartbeats keep a long upload its own: nobody takes it for dead, and it takes nobody.
      await stage.receiver({ bytesPerSecond: 200_000 });
      await stage.finishJobs(1, { rows: 20_000, at: [ahead] });
      await stage.finishJobs(1, { rows: 20_000, at: [right] });
      await right.ask(stage.accept({ jobId: newJobId(), rows: resultRows(3), emit: false }));
      await stage.untilClear();
      await stage.receiver({ bytesPerSecond: 0 });
      await stage.finishJobsUntilAttempted([ahead], `worker_id = 'ahead'`);
      await stage.finishJobsUntilAttempted([right], `worker_id = 'right'`);
      await stage.expectNoAttempts(`started_at > now() OR finished_at > now() OR status = 'ABANDONED'`);
    },
  },
  {
    fault: 'SIGKILL of the host before its emit, clock of the only worker an hour ahead',
    promise: 'the sweeper looks where the database’s clock is',
    play: async (stage) => {
      const [, host] = await stage.start(
        { name: 'ahead', clockAheadMs: 6 * TEN_MINUTES_MS },
        { name: 'host', options: { worker: false } },
      );
      // Some sweeps go by, and no claim from which it could learn the time.
      await delay(1_500);
      await host.ask(stage.accept({ jobId: newJobId(), rows: resultRows(3), emit: false }));
      host.signal('SIGKILL');
      stage.fault();
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGTERM while PostgreSQL is gone and receivers answer',
    promise: 'the worker exits 0 within its limit, its results are in its log, and the deliveries are sent again',
    play: async (stage) => {
      // The database is gone before the answers come, and they come before the worker's grace is over.
      const [leaving] = await stage.start({ name: 'leaving', options: { shutdownGraceMs: 12_000, leaseMs: 60_000 } });
      await stage.receiver({ answerAfterMs: 5_000 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      await stage.postgres.signal('SIGINT');
      stage.fault();
      leaving.signal('SIGTERM');
      const how = await leaving.end();
      if (how !== 0) throw new Error(`the worker ended with ${String(how)}`);
      const logged = leaving.logged('delivery.attempted');
      if (!logged.some((line) => line['httpStatus'] === 200 && line['recorded'] === false)) {
        throw new Error('the results that could not be recorded are not in the log');
      }
      await stage.receiver({ answerAfterMs: 0 });
      await stage.postgres.start();
      await stage.query(`UPDATE agent_data_source_delivery SET lease_expires_at = now() WHERE status = 'IN_FLIGHT'`);
      await stage.start({ name: 'successor' });
      await stage.untilClear();
    },
  },
];

/**
 * A backlog through a receiver that is down a third of the time, while workers die and Redis forgets.
 * @param {number} jobs
 * @returns {Scenario}
 */
export function backlog(jobs) {
  const many = jobs.toLocaleString('en');
  return {
    fault: `${many} jobs, a receiver that fails a third of the time, SIGKILL of two workers, FLUSHALL`,
    promise: 'every job arrives at every sink',
    play: async (stage) => {
      const options = { sweepMs: 2_000, missedCompletionsMs: 3_600_000 };
      const [first] = await stage.start({ name: 'first', options }, { name: 'second', options });
      await stage.receiver({ failShare: 1 / 3 });
      const feeding = stage.finishJobs(jobs, { atOnce: 16 });
      await stage.untilReceiver('a quarter has arrived', (ledger) => ledger.length > jobs, 600_000);
      first.signal('SIGKILL');
      stage.fault();
      const [third] = await stage.start({ name: 'third', options });
      await flushRedis(stage.redis.url);
      await delay(1_000);
      third.signal('SIGKILL');
      await stage.start({ name: 'fourth', options });
      await feeding;
      await stage.untilClear(900_000);
    },
  };
}
