// @ts-check
import { setTimeout as delay } from 'node:timers/promises';
import { flushRedis } from '../harness/redis.js';
import { freezePostgres } from '../harness/frozen-postgres.js';
import { until } from '../harness/until.js';

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../harness/process.js').Process} Process */

/** Beyond a lease: whoever was cut off by then has lost what it held. */
const OUTAGE_MS = 2_500;

/**
 * Every worker must say `name` once, however often it was refused.
 * @param {readonly Process[]} workers
 * @param {string} event
 */
function saidOnce(workers, event) {
  const often = workers.filter((worker) => worker.logged(event).length !== 1);
  const counts = often.map((worker) => `${worker.name} ${worker.logged(event).length} times`);
  if (often.length > 0) throw new Error(`${event} must be logged once by each worker, not: ${counts.join(', ')}`);
}

/** The polls of each worker are among them, so that none has to wait for a delivery. @param {readonly Process[]} workers */
async function untilPrepared(workers) {
  for (const worker of workers) {
    await until(`${worker.name} has prepared statements`, async () => {
      const { prepared } = await worker.ask('count prepared');
      return prepared > 0;
    });
  }
}

/** @type {readonly Scenario[]} */
export const OUTAGES = [
  {
    fault: 'FLUSHALL of Redis, again and again',
    promise: 'what is due is found without a wake-up',
    standing: true,
    play: async (stage) => {
      await stage.receiver({ failShare: 1 / 3 });
      stage.fault();
      const feeding = stage.finishJobs(60);
      for (let i = 0; i < 10; i++) {
        await flushRedis(stage.redis.url);
        await delay(100);
      }
      await feeding;
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGKILL of Redis, back later',
    promise: 'deliveries go on through the poll, and the log says so once',
    standing: true,
    play: async (stage) => {
      const { workers } = stage;
      await stage.finishJobs(5);
      await stage.redis.signal('SIGKILL');
      stage.fault();
      await stage.finishJobs(40);
      await stage.untilClear();
      await until('both have noticed', () => workers.every((worker) => worker.logged('redis.unavailable').length > 0));
      saidOnce(workers, 'redis.unavailable');
      await stage.redis.start();
      await stage.finishJobs(10);
      await stage.untilClear();
      await until('both are told that it is back', () =>
        workers.every((worker) => worker.logged('redis.available_again').length > 0),
      );
      saidOnce(workers, 'redis.unavailable');
    },
  },
  {
    fault: 'SIGTERM and a start while Redis is gone',
    promise: 'the worker gives back what it holds and exits 0, and its successor works',
    play: async (stage) => {
      const [leaving] = await stage.start({ name: 'leaving' });
      await stage.finishJobs(5);
      await stage.redis.signal('SIGKILL');
      stage.fault();
      await stage.finishJobs(10);
      leaving.signal('SIGTERM');
      const how = await leaving.end();
      if (how !== 0) throw new Error(`the worker ended with ${String(how)}`);
      await stage.start({ name: 'successor' });
      await stage.finishJobs(10);
      await stage.untilClear();
      await stage.redis.start();
    },
  },
  {
    fault: 'restart of PostgreSQL (fast shutdown)',
    promise: 'workers wait for it and write down what was answered meanwhile',
    standing: true,
    play: (stage) => restartPostgres(stage, 'SIGINT'),
  },
  {
    fault: 'restarts of PostgreSQL under load, prepared statements gone with their connections',
    promise: 'statements are prepared anew, and no delivery pays for it',
    standing: true,
    play: async (stage) => {
      await stage.receiver({ answerAfterMs: 20 });
      const feeding = stage.finishJobs(80);
      for (const pushes of [40, 160]) {
        await stage.untilReceiver('pushes arrive', (ledger) => ledger.length > pushes);
        await untilPrepared(stage.workers);
        await stage.postgres.signal('SIGINT');
        stage.fault();
        await stage.postgres.start();
      }
      await feeding;
      await stage.untilClear();
      await untilPrepared(stage.workers);
      const complaints = stage.workers.flatMap((worker) => worker.said('prepared statement'));
      if (complaints.length > 0) throw new Error(`the log complains: ${complaints.join('\n')}`);
      const spent = await stage.query(
        'SELECT FROM agent_data_source_delivery WHERE retries_spent > 0 AND created_at > $1',
        [stage.since],
      );
      if (spent.length > 0) throw new Error(`${spent.length} deliveries spent a retry`);
    },
  },
  {
    fault: 'SIGKILL of PostgreSQL, back later',
    promise: 'what was committed is there, and goes on',
    standing: true,
    play: (stage) => restartPostgres(stage, 'SIGKILL'),
  },
  {
    fault: 'SIGSTOP of PostgreSQL beyond the leases, then SIGCONT',
    promise: 'nothing is sent without its row',
    standing: true,
    play: async (stage) => {
      await stage.receiver({ failShare: 1 / 3, answerAfterMs: 50 });
      const feeding = stage.finishJobs(60);
      await stage.untilReceiver('pushes arrive', (ledger) => ledger.length > 5);
      const thaw = await freezePostgres(stage.postgres);
      stage.fault();
      await delay(OUTAGE_MS);
      await thaw();
      await feeding;
      await stage.untilClear();
    },
  },
  ...['cut', 'frozen'].map((how) => ({
    fault: `network between one worker and PostgreSQL ${how} while it uploads`,
    promise: 'the other worker takes over, and the late one writes nothing',
    play: async (/** @type {import('../harness/stage.js').Stage} */ stage) => {
      const network = await stage.networkToPostgres();
      const [apart] = await stage.start({ name: 'apart', databaseUrl: network.url });
      // Far too slow to be done before the network fails, however busy the machine is.
      await stage.receiver({ bytesPerSecond: 50_000 });
      await stage.finishJobs(1, { rows: 20_000 });
      await stage.untilReceiver('an upload begins', (ledger) => ledger.length > 0);
      await network.set(how);
      stage.fault();
      await stage.receiver({ bytesPerSecond: 0 });
      const [near] = await stage.start({ name: 'near' });
      await stage.finishJobs(10, { at: [near] });
      await stage.untilClear();
      await network.set('open');
      await stage.expectAttempts(`status = 'ABANDONED' AND worker_id = 'apart'`);
      await stage.finishJobsUntilAttempted([apart], `status = 'SUCCEEDED' AND worker_id = 'apart'`);
    },
  })),
];

/** Of the parts that a database stops, the first that notices tells, whichever it is. */
const tellsOfDatabase = (/** @type {import('../harness/process.js').Process} */ worker) =>
  worker.said('"kind":"database"').length > 0;

/**
 * @param {import('../harness/stage.js').Stage} stage
 * @param {NodeJS.Signals} signal
 */
async function restartPostgres(stage, signal) {
  const { workers } = stage;
  await stage.receiver({ failShare: 1 / 3, answerAfterMs: 50 });
  const feeding = stage.finishJobs(60);
  await stage.untilReceiver('pushes arrive', (ledger) => ledger.length > 5);
  await stage.postgres.signal(signal);
  stage.fault();
  await until('both have noticed', () => workers.every(tellsOfDatabase));
  await stage.postgres.start();
  await feeding;
  await stage.untilClear();
  const dead = workers.filter((worker) => !worker.alive);
  if (dead.length > 0) throw new Error(`${dead.map(({ name }) => name).join(' and ')} did not outlive it`);
}
