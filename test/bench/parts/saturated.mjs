import { median, spread } from '../measure.mjs';

/** As fast as jobs are taken, 64 at a time: behind HTTP each in a transaction of the host's, and in the process. */
const LOADS = [
  { figure: 'oneEndpointHttpVsBullmq', shape: 'oneEndpoint', http: true, deliveries: 4_000 },
  { figure: 'oneEndpointVsBullmq', shape: 'oneEndpoint', http: false, deliveries: 6_000 },
  { figure: 'fanOutHttpVsBullmq', shape: 'fanOut', http: true, deliveries: 8_000 },
  { figure: 'fanOutVsBullmq', shape: 'fanOut', http: false, deliveries: 12_000 },
  { figure: 'tenantsVsBullmq', shape: 'tenants', http: true, deliveries: 4_000 },
];

export async function saturated(stage, { runs, scale, settledRows }) {
  const contest = await stage.contest({ settledRows, scale });
  const figures = {};
  const details = {};
  for (const { figure, shape, http, deliveries } of LOADS) {
    const { ours, bullmq } = await contest.turns(runs, (name) =>
      contest.saturate(name, shape, Math.ceil(deliveries * scale), http),
    );
    const rates = (results) => results.map(({ perSecond }) => perSecond);
    figures[figure] = median(rates(ours)) / median(rates(bullmq));
    details[figure] = {
      oursPerSecond: spread(rates(ours), 0),
      bullmqPerSecond: spread(rates(bullmq), 0),
      oursCpuUs: ours.at(-1).cpuUs,
      bullmqCpuUs: bullmq.at(-1).cpuUs,
      sqlPerDelivery: { ours: ours.at(-1).sqlPerDelivery, bullmq: bullmq.at(-1).sqlPerDelivery },
      walBytes: { ours: ours.at(-1).walBytesPerDelivery, bullmq: bullmq.at(-1).walBytesPerDelivery },
      memoryMb: { ours: Math.round(ours.at(-1).memoryMb), bullmq: Math.round(bullmq.at(-1).memoryMb) },
    };
    if (figure === 'oneEndpointVsBullmq') {
      figures.sqlPerDelivery = median(ours.map((r) => r.sqlPerDelivery));
      figures.redisPerDelivery = median(ours.map((r) => r.redisPerDelivery));
    }
  }
  return { figures, details };
}
