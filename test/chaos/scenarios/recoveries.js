// @ts-check

/** @typedef {import('./scenario.js').Scenario} Scenario */

const JOBS = 20;
const SINKS = 2;

/** Few at a time, so that a recovery takes some steps; a receiver that refuses everything is not to end it. */
const OPTIONS = { maxInFlightPerSink: 2, disableAfter: 1_000 };

/** @type {readonly Scenario[]} */
export const RECOVERIES = [
  {
    failpoint: 'mid-recovery:3',
    fault: 'SIGKILL in a recovery, its next deliveries made due, the transaction open',
    promise: 'that step is undone, another process takes it again, and the counts add up',
  },
  {
    failpoint: 'after-recovered:3',
    fault: 'SIGKILL in a recovery, some deliveries made due, nobody woken',
    promise: 'another process goes on behind them, and the counts add up',
  },
].map(({ failpoint, fault, promise }) => ({
  fault,
  promise,
  play: async (stage) => {
    const [victim] = await stage.start({ name: 'victim', failpoint, options: OPTIONS });
    stage.faultWhenEnds(victim);
    await stage.receiver({ always: 400 });
    await stage.finishJobs(JOBS);
    await stage.untilClear();
    await stage.receiver({ always: 0 });
    const since = new Date(Date.now() - 3_600_000).toISOString();
    await stage.atEachSink(victim, 'POST', '/recover', { since });
    await stage.untilKilled(victim);
    const [begun] = await stage.query(`SELECT sum(redelivered)::int AS made FROM agent_data_source_recovery`);
    if (!(begun?.['made'] > 0 && begun?.['made'] < JOBS * SINKS)) {
      throw new Error(`${String(begun?.['made'])} deliveries were made due: the victim did not die in the middle`);
    }
    await stage.start({ name: 'survivor', options: OPTIONS });
    await stage.untilClear();
    await requireCounts(stage);
  },
}));

/** Each was refused once and accepted once, whoever tried it in between. */
const TRIED = `
SELECT count(*) FILTER (WHERE status = 'HTTP_4XX')::int AS refused,
       count(*) FILTER (WHERE status = 'SUCCEEDED')::int AS accepted,
       count(*) FILTER (WHERE status NOT IN ('HTTP_4XX', 'SUCCEEDED', 'ABANDONED'))::int AS others
  FROM agent_data_source_sync`;

/** @param {import('../harness/stage.js').Stage} stage */
async function requireCounts(stage) {
  const [tried] = await stage.query(TRIED);
  requireSame(tried, { refused: JOBS * SINKS, accepted: JOBS * SINKS, others: 0 });
  const recoveries = await stage.query(
    'SELECT status, total, redelivered, delivered, failed, cancelled FROM agent_data_source_recovery',
  );
  const whole = { status: 'DONE', total: JOBS, redelivered: JOBS, delivered: JOBS, failed: 0, cancelled: 0 };
  requireSame(recoveries, [whole, whole]);
}

/** @param {unknown} found @param {unknown} wanted */
function requireSame(found, wanted) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${left} instead of ${right}`);
}
