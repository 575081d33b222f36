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
      const [leaving] = await stage.start({ name: 'leaving' });
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
      await stage.receiver({ bytesPerSecond: 500_000 });
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
      await stage.receiver({ answerAfterMs: 400 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      late.signal('SIGSTOP');
      stage.fault();
      await stage.start({ name: 'other' });
      await stage.untilClear();
      late.signal('SIGCONT');
      await stage.expectAttempts(`status = 'ABANDONED' AND error_code = 'worker_lost' AND worker_id = 'late'`);
      await until('the late results are logged', 10_000, () =>
        late.logged('delivery.attempted').some((line) => line['recorded'] === false),
      );
      await stage.finishJobs(5);
      await stage.untilClear();
    },
  },
  {
    fault: 'clock of one worker ten minutes ahead',
    promise: 'the database’s time decides what is due, who holds it, and what is signed',
    play: async (stage) => {
      const [ahead, right] = await stage.start({ name: 'ahead', clockAheadMs: TEN_MINUTES_MS }, { name: 'right' });
      await stage.receiver({ failShare: 1 / 3, answerAfterMs: 20 });
      stage.fault();
      await stage.finishJobs(40);
      // Its heartbeats keep a long upload its own: nobody takes it for dead, and it takes nobody.
      await stage.receiver({ bytesPerSecond: 1_000_000 });
      await stage.finishJobs(1, { rows: 20_000, at: [ahead] });
      await stage.finishJobs(1, { rows: 20_000, at: [right] });
      await right.ask(stage.accept({ jobId: newJobId(), rows: resultRows(3), emit: false }));
      await stage.untilClear();
      await stage.expectNoAttempts(`started_at > now() OR finished_at > now() OR status = 'ABANDONED'`);
      await stage.expectAttempts(`worker_id = 'ahead'`);
      await stage.expectAttempts(`worker_id = 'right'`);
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
      const [leaving] = await stage.start({ name: 'leaving', options: { shutdownGraceMs: 1_000, leaseMs: 20_000 } });
      await stage.receiver({ answerAfterMs: 500 });
      await stage.finishJobs(5);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length >= 10);
      await stage.postgres.signal('SIGINT');
      stage.fault();
      leaving.signal('SIGTERM');
      const how = await leaving.end(10_000);
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
      await stage.untilReceiver('a quarter has arrived', (ledger) => ledger.length > jobs, 300_000);
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
