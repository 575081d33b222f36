import { setTimeout as delay } from 'node:timers/promises';
import { median, percentile } from '../measure.mjs';
import { firstByteLatencies } from '../burst.mjs';

const HEALTHY = 50;
const ROWS = 20;

/** Healthy sinks with and without one that never answers, on a long backlog; and what a claim costs beside a backlog. */
export async function isolation(stage, { runs, scale }) {
  const platform = await stage.platform();
  const agentIds = await stage.addAgents(platform, HEALTHY, 1);
  await platform.ask('addSinks', { agentId: 'agt_dead', urls: stage.urls(1, '/hang'), secret: stage.secret });
  const pushes = Math.ceil(600 * scale);
  const backlog = Math.ceil(100_000 * scale);

  await paced(stage, platform, agentIds, pushes, 'w');
  const without = [];
  for (let run = 0; run < runs; run++) without.push(await paced(stage, platform, agentIds, pushes, `a${run}x`));
  await fillBacklog(platform, 'agt_dead', backlog, 'dead');
  await delay(1_000);
  const beside = [];
  for (let run = 0; run < runs; run++) beside.push(await paced(stage, platform, agentIds, pushes, `b${run}x`));
  await stage.stop(platform);

  const p99 = (lists) => median(lists.map((list) => percentile(list, 99)));
  const claim = await claimCost(stage, runs, Math.ceil(1_000_000 * scale));
  return {
    figures: { isolationP99Ratio: p99(beside) / p99(without), claimCostRatio: claim.ratio },
    details: {
      healthyP50P99Ms: without.map((l) => [percentile(l, 50).toFixed(1), percentile(l, 99).toFixed(1)]),
      besideDeadP50P99Ms: beside.map((l) => [percentile(l, 50).toFixed(1), percentile(l, 99).toFixed(1)]),
      backlog,
      ...claim.details,
    },
  };
}

/** A steady, light load; the latency from completion to first byte of each push. */
async function paced(stage, platform, agentIds, pushes, tag) {
  await stage.receiver.ask('reset');
  const recordedAt = {};
  for (let n = 0; n < pushes; n++) {
    const agent = [agentIds[n % agentIds.length]];
    Object.assign(
      recordedAt,
      await platform.ask('complete', { agentIds: agent, jobs: 1, rows: ROWS, atOnce: 1, tag: `${tag}${n}x` }),
    );
    await delay(5);
  }
  await delay(500);
  const latencies = await firstByteLatencies(stage, recordedAt);
  if (latencies.length !== pushes) throw new Error(`${pushes - latencies.length} healthy pushes are missing`);
  return latencies;
}

async function fillBacklog(platform, agentId, count, tag) {
  await platform.ask('query', {
    sql: `WITH job AS (
      INSERT INTO agent_data_source_job (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched, heard_at)
      SELECT 'job_20_${tag}_' || n, 1, 'ws_bench', $1, now(), 20, 20, 0, now() FROM generate_series(1, $2::int) n RETURNING job_id)
      INSERT INTO agent_data_source_delivery (id, data_source_id, job_id, run, workspace_id, agent_id, format,
        retries_allowed, trigger, status, next_attempt_at)
      SELECT 'dlv_' || job_id, 'ads_' || $1 || '_0000', job_id, 1, 'ws_bench', $1, 'JSON', 2, 'AUTO', 'PENDING', now() FROM job`,
    parameters: [agentId, count],
  });
  await platform.ask('query', { sql: 'ANALYZE agent_data_source_delivery' });
}

/** The time of a claim of 64 from 50 sinks beside a backlog on one, each claim rolled back. */
async function claimCost(stage, runs, backlog) {
  const databaseUrl = await stage.freshDatabase();
  const platform = await stage.platform({ databaseUrl, options: { worker: false } });
  const agentIds = await stage.addAgents(platform, HEALTHY + 1, 1);
  for (const agentId of agentIds.slice(1)) await fillBacklog(platform, agentId, 20, agentId);
  const few = [];
  const many = [];
  await fillBacklog(platform, agentIds[0], 1_000, 'few');
  for (let run = 0; run < runs; run++) few.push(await timeClaims(platform));
  await fillBacklog(platform, agentIds[0], backlog, 'many');
  await platform.ask('query', { sql: 'VACUUM (ANALYZE) agent_data_source_delivery' });
  for (let run = 0; run < runs; run++) many.push(await timeClaims(platform));
  await stage.stop(platform);
  return {
    ratio: median(many) / median(few),
    details: {
      claimMsBeside1000: few.map((ms) => ms.toFixed(2)),
      [`claimMsBeside${backlog}`]: many.map((ms) => ms.toFixed(2)),
    },
  };
}

async function timeClaims(platform) {
  const times = [];
  for (let i = 0; i < 60; i++) times.push(await platform.ask('timeClaim'));
  return median(times.slice(10));
}
