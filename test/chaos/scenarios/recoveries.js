// @ts-check

/** @typedef {import('./scenario.js').Scenario} Scenario */

const JOBS = 20;
const SINKS = 2;

/** Few at a time, so that a recovery takes some steps; a receiver that refuses everything is not to end it. */
const OPTIONS = { maxInFlightPerSink: 2, disableAfter: 1_000 };

/** @type {readonly Scenario[]} */
export const RECOVERIES = [
  {
    fault: 'SIGKILL twice in a recovery: a step’s transaction open, then a step committed and nobody woken',
    promise: 'another process takes the step again, a third goes on behind it, and the counts add up',
    play: async (stage) => {
      const [first] = await stage.start({ name: 'first', failpoint: 'mid-recovery:3', options: OPTIONS });
      stage.faultWhenEnds(first);
      await stage.receiver({ always: 400 });
      await stage.finishJobs(JOBS);
      await stage.untilClear();
      await stage.receiver({ always: 0 });
      const since = new Date(Date.now() - 3_600_000).toISOString();
      await stage.atEachSink(first, 'POST', '/recover', { since });
      await stage.untilKilled(first);
      const before = await madeDue(stage);
      const [second] = await stage.start({ name: 'second', failpoint: 'after-recovered', options: OPTIONS });
      await stage.untilKilled(second);
      const after = await madeDue(stage);
      if (!(before > 0 && before < after && after < JOBS * SINKS)) {
        throw new Error(`${before} and then ${after} deliveries were made due: they did not die in the middle`);
      }
      await stage.start({ name: 'survivor', options: OPTIONS });
      await stage.untilClear();
      await requireCounts(stage);
    },
  },
];

/** @param {import('../harness/stage.js').Stage} stage @returns {Promise<number>} */
async function madeDue(stage) {
  const [row] = await stage.query('SELECT sum(redelivered)::int AS made FROM agent_data_source_recovery');
  return Number(row?.['made']);
}

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
