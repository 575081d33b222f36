// @ts-check
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../harness/until.js';

/**
 * @typedef {import('./scenario.js').Scenario} Scenario
 * @typedef {import('../harness/stage.js').Stage} Stage
 * @typedef {import('../harness/process.js').Process} Process
 */

/** As the receiver counts its secrets. */
const OLD = 0;
const NEW = 1;

/** An overlap ends with its time, and not when somebody comes to destroy the secret. */
const LATE_SWEEPS = { sweepMs: 3_000 };

/** Long enough for the victim to die in it on a busy machine. */
const OVERLAP_S = 20;

/** @type {readonly Scenario[]} */
export const ROTATIONS = [
  {
    fault: 'SIGKILL in the overlap of a rotated secret, then with the old one destroyed and its sink still naming it',
    promise: 'the old secret signs in the overlap and never after it, and its end is put on record once',
    play: async (stage) => {
      const [victim, sweeper] = await stage.start(
        { name: 'victim', failpoint: 'after-opened:10', options: LATE_SWEEPS },
        { name: 'sweeper', failpoint: 'after-destroyed', options: LATE_SWEEPS },
      );
      stage.faultWhenEnds(victim);
      const death = victim.ended.then(() => Date.now());
      await stage.receiver({ failShare: 1 / 3 });
      const overlapsEndAt = await rotate(stage, sweeper, OVERLAP_S);
      const ends = [...overlapsEndAt.values()];
      const feeding = feedUntil(stage, () => !sweeper.alive);
      await stage.untilKilled(victim);
      if ((await death) >= Math.min(...ends)) throw new Error('the victim died after the overlap');
      await stage.untilKilled(sweeper);
      const named = await stage.query(NAMED_AND_GONE);
      if (named.length !== 1) throw new Error(`${named.length} sinks name a destroyed secret, not 1`);
      await stage.start({ name: 'survivor' });
      await feeding;
      await stage.finishJobs(10);
      await stage.untilClear();
      await requireEnds(stage);
      requireOverlaps(stage, overlapsEndAt);
    },
  },
];

/**
 * Rotates the secret of each sink; the receiver knows the new one before, as customers are told to do it.
 * @param {Stage} stage
 * @param {Process} host
 * @param {number} overlapSeconds
 * @returns {Promise<Map<string, number>>} when the overlaps end, by path, in milliseconds since 1970
 */
async function rotate(stage, host, overlapSeconds) {
  const value = randomBytes(32).toString('base64url');
  await stage.receiver({ otherSecrets: [value] });
  await stage.finishJobs(2);
  await stage.atEachSink(host, 'POST', '/secret', { value, overlapSeconds });
  const sinks = await stage.query(`SELECT name AS url, previous_secret_expires_at AS until FROM agent_data_source`);
  return new Map(sinks.map(({ url, until: end }) => [new URL(String(url)).pathname, Number(end)]));
}

/** @param {Stage} stage @param {() => boolean} over */
async function feedUntil(stage, over) {
  while (!over()) {
    await stage.finishJobs(3);
    await delay(100);
  }
}

const NAMED_AND_GONE = `
SELECT FROM agent_data_source s WHERE s.previous_secret_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM agent_data_source_secret v WHERE v.id = s.previous_secret_id)`;

/** Each old secret is gone, named by no sink, and its destruction is on record once. @param {Stage} stage */
async function requireEnds(stage) {
  await until('no overlap is left', async () => {
    const left = await stage.query('SELECT FROM agent_data_source WHERE previous_secret_id IS NOT NULL');
    return left.length === 0;
  });
  const [kept] = await stage.query(
    `SELECT (SELECT count(*)::int FROM agent_data_source) AS sinks,
            (SELECT count(*)::int FROM agent_data_source_secret) AS secrets,
            (SELECT count(*)::int FROM agent_data_source_audit WHERE action = 'SECRET_DESTROYED') AS told,
            (SELECT count(DISTINCT data_source_id)::int FROM agent_data_source_audit
              WHERE action = 'SECRET_DESTROYED') AS told_of`,
  );
  const { sinks, secrets, told, told_of: toldOf } = kept ?? {};
  if (sinks !== secrets || sinks !== told || sinks !== toldOf) throw new Error(`not one each: ${JSON.stringify(kept)}`);
}

/**
 * By the receiver's own check: while the overlap lasts both secrets, after it never the old one.
 * @param {Stage} stage
 * @param {ReadonlyMap<string, number>} overlapsEndAt
 */
function requireOverlaps(stage, overlapsEndAt) {
  const pushes = stage.ledger.filter(({ event }) => event === 'arrived');
  const late = pushes.filter(({ path, keys, signedAt, at }) => {
    const end = overlapsEndAt.get(path) ?? 0;
    return keys.includes(OLD) && (signedAt >= end || at >= end + ON_THE_WAY_MS);
  });
  if (late.length > 0) throw new Error(`signed with a secret past its overlap: ${JSON.stringify(late)}`);
  for (const wanted of [[NEW, OLD], [NEW]]) {
    if (!pushes.some(({ keys }) => keys.join() === wanted.join()))
      throw new Error(`none was signed with ${wanted.join()}`);
  }
}

/** What was signed in time arrives a little later. */
const ON_THE_WAY_MS = 15_000;
