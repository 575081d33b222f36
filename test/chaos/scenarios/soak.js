// @ts-check
import { setTimeout as delay } from 'node:timers/promises';
import { freezePostgres } from '../harness/frozen-postgres.js';
import { flushRedis } from '../harness/redis.js';

/**
 * @typedef {import('./scenario.js').Scenario} Scenario
 * @typedef {import('../harness/stage.js').Stage} Stage
 * @typedef {import('../harness/process.js').Process} Process
 * @typedef {() => number} Random in [0, 1)
 *
 * @typedef {object} Scene what the faults have to play with
 * @property {Stage} stage
 * @property {Random} random
 * @property {{ url: string, set: (state: string) => Promise<void> }} network
 * @property {(failpoint?: string) => Promise<void>} addWorker
 */

const FAILPOINTS = [
  'after-recorded',
  'after-committed',
  'after-woken',
  'after-claimed',
  'mid-build',
  'after-prepared',
  'after-opened',
  'after-posted',
  'before-last-part',
  'after-closed',
  'mid-sweep',
];

/** Numbers that a seed repeats (mulberry32). @param {number} seed @returns {Random} */
export function seededRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @template T @param {Random} random @param {readonly T[]} items @returns {T | undefined} */
const pick = (random, items) => items[Math.floor(random() * items.length)];

/** A while that is sometimes shorter and sometimes longer than a lease. @param {Random} random */
const aWhile = (random) => delay(300 + random() * 3_000);

/** @param {Scene} scene @returns {Process | undefined} */
const anyWorker = ({ stage, random }) =>
  pick(
    random,
    stage.workers.filter((worker) => worker.alive),
  );

/** @type {Readonly<Record<string, (scene: Scene) => Promise<void>>>} */
const FAULTS = {
  'SIGKILL of a worker': async (scene) => anyWorker(scene)?.signal('SIGKILL'),
  'SIGTERM of a worker': async (scene) => anyWorker(scene)?.signal('SIGTERM'),
  'SIGSTOP of a worker': async (scene) => {
    const worker = anyWorker(scene);
    worker?.signal('SIGSTOP');
    await aWhile(scene.random);
    worker?.signal('SIGCONT');
  },
  'a worker with a failpoint': (scene) => {
    const passage = 1 + Math.floor(scene.random() * 30);
    return scene.addWorker(`${pick(scene.random, FAILPOINTS)}:${passage}`);
  },
  FLUSHALL: ({ stage }) => flushRedis(stage.redis.url),
  'SIGKILL of Redis': async ({ stage, random }) => {
    await stage.redis.signal('SIGKILL');
    await aWhile(random);
    await stage.redis.start();
  },
  'restart of PostgreSQL': async ({ stage, random }) => {
    await stage.postgres.signal('SIGINT');
    await aWhile(random);
    await stage.postgres.start();
  },
  'SIGKILL of PostgreSQL': async ({ stage, random }) => {
    await stage.postgres.signal('SIGKILL');
    await aWhile(random);
    await stage.postgres.start();
  },
  'SIGSTOP of PostgreSQL': async ({ stage, random }) => {
    const thaw = await freezePostgres(stage.postgres);
    await aWhile(random);
    await thaw();
  },
  'network cut': ({ network, random }) =>
    network
      .set('cut')
      .then(() => aWhile(random))
      .then(() => network.set('open')),
  'network frozen': ({ network, random }) =>
    network
      .set('frozen')
      .then(() => aWhile(random))
      .then(() => network.set('open')),
  'slow answers': async ({ stage, random }) => {
    await stage.receiver({ answerAfterMs: 400 });
    await aWhile(random);
    await stage.receiver({ answerAfterMs: 0 });
  },
};

/**
 * Jobs without a pause, a receiver that fails a third of the time, and one fault after the other by the seed's choice.
 * @param {{ seed: number, seconds: number, say?: (line: string) => void }} wishes
 * @returns {Scenario}
 */
export function soak({ seed, seconds, say = () => undefined }) {
  return {
    fault: `${seconds} s of random faults, seed ${seed}`,
    promise: 'every job arrives at every sink',
    play: async (stage) => {
      const random = seededRandom(seed);
      const network = await stage.networkToPostgres();
      // Whatever dies here dies by chance: no delivery is the cause of it, however often it is there.
      const options = { maxAbandoned: 10_000 };
      let workers = 0;
      const addWorker = async (/** @type {string | undefined} */ failpoint) => {
        const name = `worker-${++workers}`;
        const databaseUrl = random() < 0.3 ? network.url : stage.databaseUrl;
        // One that dies before it listens is one more fault.
        await stage.start({ name, options, databaseUrl, ...(failpoint && { failpoint }) }).catch((error) => {
          if (!String(error).includes('ended before')) throw error;
        });
      };
      await Promise.all([addWorker(undefined), addWorker(undefined), addWorker(undefined)]);
      await stage.receiver({ failShare: 1 / 3 });
      const [host] = stage.workers;
      if (host) await stage.atEachSink(host, 'PATCH', '', { config: { maxRowsPerPush: 2 } });

      const until = performance.now() + seconds * 1_000;
      const feeding = feed(stage, until);
      while (performance.now() < until) {
        const [name, fault] = pick(random, Object.entries(FAULTS)) ?? [];
        if (!name || !fault) break;
        say(name);
        await fault({ stage, random, network, addWorker });
        if (stage.workers.filter((worker) => worker.alive).length < 2) await addWorker(undefined);
        await delay(random() * 1_000);
      }
      stage.fault();
      await addWorker(undefined);
      await feeding;
      await stage.untilClear(180_000);
    },
  };
}

/** Jobs of one push and jobs of two parts, in turn. @param {Stage} stage @param {number} until on the monotonic clock */
async function feed(stage, until) {
  for (let turn = 0; performance.now() < until; turn++) {
    await stage.finishJobs(20, { rows: turn % 2 === 0 ? 1 : 3 });
    await delay(100);
  }
}
