import { setTimeout as delay } from 'node:timers/promises';
import { median, percentile } from '../measure.mjs';
import { PRODUCTION_FLAGS } from '../stage.mjs';

/** About 10 KB of body. */
const ROWS = 80;

/** Small pushes, each job with a body of its own, against the naive design in the same run; and latency when idle. */
export async function small(stage, { runs, scale }) {
  const jobs = Math.ceil(10_000 * scale);
  const platform = await stage.platform();
  const naive = await naivePlatform(stage);
  const agents = await stage.addAgents(platform, 8, 1);
  await naive.ask('addSinks', { agentId: 'agt_bench_0', urls: stage.urls(1) });

  const ours = [];
  const theirs = [];
  for (let run = 0; run <= runs; run++) {
    const mine = await burst(stage, platform, { agentIds: agents, jobs, rows: ROWS, tag: `s${run}x` });
    const other = await burst(stage, naive, {
      agentIds: ['agt_bench_0'],
      jobs: Math.ceil(jobs / 8),
      rows: ROWS,
      tag: `n${run}x`,
    });
    // The first run warms up compilers, pools and caches.
    if (run > 0) {
      ours.push(mine);
      theirs.push(other);
    }
  }
  const underLoad = ours.map(({ latencies }) => [percentile(latencies, 50), percentile(latencies, 99)]);
  const idle = await idleLatency(stage, platform, agents, Math.ceil(200 * scale));
  await stage.stop(naive);
  await stage.stop(platform);
  return {
    figures: {
      ownPayloadVsNaive: median(ours.map((r) => r.perSecond)) / median(theirs.map((r) => r.perSecond)),
      sqlPerDelivery: median(ours.map((r) => r.sqlPerDelivery)),
      redisPerDelivery: median(ours.map((r) => r.redisPerDelivery)),
      idleFirstByteP50Ms: percentile(idle, 50),
      idleFirstByteP99Ms: percentile(idle, 99),
    },
    details: {
      oursPerSecond: ours.map((r) => Math.round(r.perSecond)),
      naivePerSecond: theirs.map((r) => Math.round(r.perSecond)),
      oursCpuUsPerDelivery: ours.at(-1).cpuUs,
      naiveCpuUsPerDelivery: theirs.at(-1).cpuUs,
      naiveSqlPerDelivery: median(theirs.map((r) => r.sqlPerDelivery)),
      naiveRedisPerDelivery: median(theirs.map((r) => r.redisPerDelivery)),
      loadedFirstByteP50P99Ms: underLoad.map((pair) => pair.map(Math.round)),
    },
  };
}

export async function naivePlatform(stage) {
  const settings = { databaseUrl: await stage.freshDatabase(), redisUrl: stage.redisUrl, secret: stage.secret };
  return stage.start('naive.mjs', { BENCH_NAIVE: JSON.stringify(settings) }, PRODUCTION_FLAGS);
}

/** Completes jobs as fast as they are taken, until every delivery has arrived. */
export async function burst(stage, platform, { agentIds, jobs, rows, tag, sinksEach = 1 }) {
  await stage.receiver.ask('reset');
  let recordedAt;
  const costs = await stage.costs(platform, jobs * sinksEach, async () => {
    recordedAt = platform.ask('complete', { agentIds, jobs, rows, atOnce: 64, tag });
    await stage.received(jobs * sinksEach);
  });
  return { ...costs, latencies: await firstByteLatencies(stage, await recordedAt) };
}

/** Milliseconds from the call that records a completion to the first byte at the receiver, on one machine's clock. */
export async function firstByteLatencies(stage, recordedAt = {}) {
  const firstBytes = await stage.receiver.ask('first-bytes');
  return Object.entries(firstBytes).flatMap(([jobId, at]) => (jobId in recordedAt ? [at - recordedAt[jobId]] : []));
}

/** PostgreSQL has written out what the load before left, and cleaned up after it: only then is the machine idle. */
async function atRest(platform) {
  const query = (sql) => platform.ask('query', { sql });
  await query('CHECKPOINT');
  const CLEANING = `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'`;
  while ((await query(CLEANING)).length > 0) await delay(200);
}

async function idleLatency(stage, platform, agentIds, count) {
  await atRest(platform);
  await stage.receiver.ask('reset');
  const recordedAt = {};
  for (let n = 0; n < count; n++) {
    Object.assign(
      recordedAt,
      await platform.ask('complete', { agentIds, jobs: 1, rows: 100, atOnce: 1, tag: `i${n}x` }),
    );
    await delay(30);
  }
  await stage.received(count);
  return firstByteLatencies(stage, recordedAt);
}
