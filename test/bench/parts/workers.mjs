import { median } from '../measure.mjs';

const ROWS = 80;
const SINKS = 20;

/** One, two and four worker processes on one database: deliveries per second over all of them. */
export async function workers(stage, { runs, scale }) {
  const jobs = Math.ceil(200 * scale);
  const rates = {};
  for (const count of [1, 2, 4]) {
    const databaseUrl = await stage.freshDatabase();
    const first = await stage.platform({ databaseUrl });
    const others = [];
    for (let i = 1; i < count; i++) others.push(await stage.platform({ databaseUrl, migrate: false }));
    const agentIds = await stage.addAgents(first, 4, SINKS);
    const perSecond = [];
    for (let run = 0; run <= runs; run++) {
      await stage.receiver.ask('reset');
      const { perSecond: rate } = await stage.costs(first, jobs * SINKS, async () => {
        void first.ask('complete', { agentIds, jobs, rows: ROWS, atOnce: 64, tag: `w${run}x` });
        await stage.received(jobs * SINKS);
      });
      if (run > 0) perSecond.push(Math.round(rate));
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
    },
    details: rates,
  };
}
