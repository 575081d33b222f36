import { median } from '../measure.mjs';
import { burst } from '../burst.mjs';

const ROWS = 80;
const SINKS = 100;
const BODY_BYTES = 12_200;

/** One job to 100 sinks, against a bare signing client: the ceiling. */
export async function fanout(stage, { runs, scale }) {
  const jobs = Math.ceil(300 * scale);
  const platform = await stage.platform();
  const client = await stage.start('client-loop.mjs', {
    BENCH_CLIENT: JSON.stringify({
      origin: `http://127.0.0.1:${stage.receiver.hello.listening}`,
      secret: stage.secret,
    }),
  });
  const agents = await stage.addAgents(platform, 1, SINKS);

  const ours = [];
  const bare = [];
  for (let run = 0; run <= runs; run++) {
    const mine = await burst(stage, platform, {
      agentIds: agents,
      jobs,
      rows: ROWS,
      sinksEach: SINKS,
      tag: `f${run}x`,
    });
    await stage.receiver.ask('reset');
    const loop = await stage.costs([client], jobs * SINKS, async () => {
      await client.ask('post', { count: jobs * SINKS, bytes: BODY_BYTES, tag: `c${run}x` });
      await stage.received(jobs * SINKS);
    });
    if (run === 0) continue;
    ours.push(mine);
    bare.push(loop);
  }
  await Promise.all([platform, client].map((child) => stage.stop(child)));
  const rate = (results) => median(results.map((r) => r.perSecond));
  return {
    figures: { fanOutVsClient: rate(ours) / rate(bare) },
    details: {
      oursPerSecond: ours.map((r) => Math.round(r.perSecond)),
      clientPerSecond: bare.map((r) => Math.round(r.perSecond)),
      oursCpuUsPerDelivery: ours.at(-1).cpuUs,
      sqlPerDelivery: median(ours.map((r) => r.sqlPerDelivery)),
      redisPerDelivery: median(ours.map((r) => r.redisPerDelivery)),
    },
  };
}
