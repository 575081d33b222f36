import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../load.mjs';
import { nowMs, until } from '../measure.mjs';

const ROWS = 80;
const SINKS = 20;

/** A host is killed in the middle of a load, and started again at once: the seconds until everything has arrived. */
export async function crash(stage, { scale }) {
  const databaseUrl = await stage.freshDatabase();
  const first = await stage.platform({ databaseUrl });
  const agentIds = await stage.addAgents(first, 1, SINKS);
  await stage.receiver.ask('reset');
  const load = new Load(await first.ask('listen'));
  const offered = load
    .pace({ agentIds, jobs: 2_000, rows: ROWS, tag: 'k', perSecond: 20 })
    .catch(() => 'its host was killed');
  await delay(1_000 + 3_000 * Math.min(scale, 1));
  await first.kill();
  const killedAt = nowMs();
  await offered;
  const second = await stage.platform({ databaseUrl, migrate: false });
  const [{ made }] = await second.ask('query', {
    sql: 'SELECT count(*)::int AS made FROM agent_data_source_delivery',
  });
  const whole = async () => (await stage.receiver.ask('totals')).deliveries === made;
  await until(whole, `all of ${made} deliveries after a crash`);
  const seconds = (nowMs() - killedAt) / 1000;
  await stage.stop(second);
  return { figures: { recoverAfterKillS: seconds }, details: { deliveriesBesideTheCrash: made } };
}
