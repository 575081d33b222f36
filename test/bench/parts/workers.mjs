import { paced } from '../burst.mjs';
import { median, spread } from '../measure.mjs';

const ROWS = 80;
const SINKS = 20;

/**
 * One, two and four worker processes on one database: deliveries per second over all of them, and the CPU that they take
 * for one offered load.
 */
export async function workers(stage, { runs, scale }) {
  const jobs = Math.ceil(200 * scale);
  const rates = {};
  const cpuUs = {};
  for (const count of [1, 2, 4]) {
    const databaseUrl = await stage.freshDatabase();
    const first = await stage.platform({ databaseUrl });
    const others = [];
    for (let i = 1; i < count; i++) others.push(await stage.platform({ databaseUrl, migrate: false }));
    const agentIds = await stage.addAgents(first, 4, SINKS);
    const perSecond = [];
    for (let run = 0; run <= runs; run++) {
      await stage.receiver.ask('reset');
      const { perSecond: rate } = await stage.costs([first], jobs * SINKS, async () => {
        void first.ask('complete', { agentIds, jobs, rows: ROWS, atOnce: 64, tag: `w${run}x` });
        await stage.received(jobs * SINKS);
      });
      if (run > 0) perSecond.push(Math.round(rate));
    }
    cpuUs[count] = [];
    for (let run = 0; run <= runs; run++) {
      const load = {
        agentIds,
        sinksEach: SINKS,
        deliveries: Math.ceil(3_200 * scale),
        perSecond: 400,
        tag: `v${run}x`,
      };
      const { cpuUsTotal } = await paced(stage, [first, ...others], load);
      if (run > 0) cpuUs[count].push(cpuUsTotal);
    }
    const [{ n }] = await first.ask('query', {
      sql: 'SELECT count(DISTINCT worker_id)::int AS n FROM agent_data_source_sync',
    });
    rates[count] = { perSecond, workersThatSent: n };
    await Promise.all([first, ...others].map((child) => stage.stop(child)));
  }
  return {
    figures: {
      twoWorkersVsOne: median(rates[2].perSecond) / median(rates[1].perSecond),
      fourWorkersVsOne: median(rates[4].perSecond) / median(rates[1].perSecond),
      cpuFourWorkersVsOne: median(cpuUs[4]) / Math.max(median(cpuUs[1]), 1),
    },
    details: { ...rates, cpuUsAt400: Object.fromEntries([1, 2, 4].map((count) => [count, spread(cpuUs[count], 0)])) },
  };
}
