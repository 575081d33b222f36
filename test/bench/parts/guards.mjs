import { setTimeout as delay } from 'node:timers/promises';
import { paced } from '../burst.mjs';
import { median, spread } from '../measure.mjs';
import { GROWING } from '../settled.mjs';

const SINKS = 20;

/** What must not become worse while the path becomes faster. */
export async function guards(stage, options) {
  const parts = [await plansBeside(stage, options), await loopDelay(stage, options)];
  return {
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
    details: Object.assign({}, ...parts.map(({ details }) => details)),
  };
}

/** Each hot statement's median time beside settled rows, before and after they were analysed, against on fresh tables. */
async function plansBeside(stage, { scale, settledRows }) {
  const databaseUrl = await stage.freshDatabase();
  let tag = 0;
  const times = async (before) => {
    const platform = await stage.platform({ databaseUrl, migrate: tag === 0 });
    const agentIds = tag === 0 ? await stage.addAgents(platform, 2, SINKS) : ['agt_bench_0', 'agt_bench_1'];
    await before(platform);
    await stage.postgres.query('CHECKPOINT');
    const load = () =>
      paced(stage, [platform], {
        sinksEach: SINKS,
        agentIds,
        deliveries: Math.ceil(6_000 * scale),
        perSecond: 600,
        tag: `p${tag++}x`,
      });
    await load();
    await platform.ask('statementTimes', { atLeast: 0 });
    await load();
    const answer = await platform.ask('statementTimes', { atLeast: Math.ceil(40 * scale) });
    await stage.stop(platform);
    return answer;
  };
  const fresh = await times(async () => undefined);
  const count = Math.max(settledRows, 1_000);
  const besides = [
    await times((platform) => platform.ask('settle', { count, analyse: [] })),
    await times((platform) => platform.ask('settle', { count: 0, analyse: [...GROWING, 'host_job'] })),
  ];
  const ratios = Object.entries(fresh).flatMap(([statement, ms]) =>
    besides.flatMap((beside) => (statement in beside ? [{ ratio: beside[statement] / ms, ms, statement }] : [])),
  );
  ratios.sort((one, other) => other.ratio - one.ratio);
  const [dearest = { ratio: 0, statement: 'none' }] = ratios;
  return {
    figures: { settledRowsPlanRatio: dearest.ratio },
    details: { dearestBesideSettledRows: ratios.slice(0, 3) },
  };
}

/** The event loop of the host's process, while 1,000 deliveries a second pass through it, against while nothing does. */
async function loopDelay(stage, { runs, scale }) {
  const platform = await stage.platform();
  const agentIds = await stage.addAgents(platform, 4, SINKS);
  const delays = { idle: [], busy: [] };
  for (let run = 0; run <= runs; run++) {
    await delay(1_000);
    await platform.ask('loopDelay');
    await delay(1_000 + 3_000 * Math.min(scale, 1));
    delays.idle.push(await platform.ask('loopDelay'));
    await paced(stage, [platform], {
      sinksEach: SINKS,
      agentIds,
      deliveries: Math.ceil(6_000 * scale),
      perSecond: 1_000,
      tag: `d${run}x`,
    });
    delays.busy.push(await platform.ask('loopDelay'));
  }
  await stage.stop(platform);
  return {
    figures: { hostLoopDelayP99Ms: median(delays.busy.slice(1)) - median(delays.idle.slice(1)) },
    details: { loopDelayP99Ms: { idle: spread(delays.idle), busy: spread(delays.busy.slice(1)) } },
  };
}
