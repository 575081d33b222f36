import { ofLatencies } from '../contest.mjs';
import { median, spread } from '../measure.mjs';

/** Rates as backends have them, and for how many seconds. */
const LOADS = [
  { perSecond: 20, shape: 'oneEndpoint', seconds: 15 },
  { perSecond: 100, shape: 'oneEndpoint', seconds: 10 },
  { perSecond: 400, shape: 'fanOut', seconds: 8 },
];

/** Steady loads behind HTTP: CPU per delivery of all processes. */
export async function steady(stage, { runs, scale, settledRows }) {
  const contest = await stage.contest({ settledRows, scale });
  const figures = {};
  const details = {};
  for (const { perSecond, shape, seconds } of LOADS) {
    const deliveries = Math.ceil(perSecond * seconds * scale);
    const { ours, bullmq } = await contest.turns(runs, (name) => contest.pace(name, shape, deliveries, perSecond));
    const cpu = (results) => results.map(({ cpuUsTotal }) => cpuUsTotal);
    const ratio = median(cpu(ours)) / Math.max(median(cpu(bullmq)), 1);
    if (perSecond < 400) figures[`cpuAt${perSecond}VsBullmq`] = ratio;
    details[`at${perSecond}`] = {
      ratio: Number(ratio.toFixed(2)),
      oursCpuUs: spread(cpu(ours), 0),
      bullmqCpuUs: spread(cpu(bullmq), 0),
      oursCpuOf: ours.at(-1).cpuUs,
      bullmqCpuOf: bullmq.at(-1).cpuUs,
      walBytes: { ours: ours.at(-1).walBytesPerDelivery, bullmq: bullmq.at(-1).walBytesPerDelivery },
      latencyMs: { ours: ofLatencies(ours), bullmq: ofLatencies(bullmq) },
    };
  }
  return { figures, details };
}
