import { Load } from './load.mjs';

/** Completes jobs in the process as fast as they are taken, until every delivery has arrived. */
export async function burst(stage, platform, { agentIds, jobs, rows, tag, sinksEach = 1 }) {
  await stage.receiver.ask('reset');
  return stage.costs([platform], jobs * sinksEach, async () => {
    const recorded = platform.ask('complete', { agentIds, jobs, rows, atOnce: 64, tag });
    await Promise.all([recorded, stage.received(jobs * sinksEach)]);
  });
}

/** Milliseconds from the call that records a completion to the first byte at the receiver, on one machine's clock. */
export async function firstByteLatencies(stage, recordedAt = {}) {
  const firstBytes = await stage.receiver.ask('first-bytes');
  return Object.entries(firstBytes).flatMap(([jobId, at]) => (jobId in recordedAt ? [at - recordedAt[jobId]] : []));
}

/** Posts jobs to the first of some processes at a steady rate of deliveries, until every one has arrived. */
export async function paced(stage, platforms, { agentIds, sinksEach, deliveries, perSecond, tag, rows = 80 }) {
  await stage.receiver.ask('reset');
  const load = new Load(await platforms[0].ask('listen'));
  const jobs = Math.ceil(deliveries / sinksEach);
  const costs = await stage.costs(platforms, jobs * sinksEach, async () => {
    const asked = { agentIds, jobs, rows, tag, perSecond: perSecond / sinksEach };
    await Promise.all([load.pace(asked), stage.received(jobs * sinksEach)]);
  });
  await load.end();
  return costs;
}
