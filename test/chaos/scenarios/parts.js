// @ts-check

/** @typedef {import('./scenario.js').Scenario} Scenario */

/** @type {readonly Scenario[]} */
export const PARTS = [
  {
    fault: 'SIGKILL in step 6, a job’s next-to-last part on record, the last one not made due',
    promise: 'another process’s sweep finds that the last one may go',
    play: async (stage) => {
      const [victim] = await stage.start({ name: 'victim', failpoint: 'before-last-part' });
      stage.faultWhenEnds(victim);
      await stage.atEachSink(victim, 'PATCH', '', { config: { maxRowsPerPush: 3 } });
      const feeding = stage.finishJobs(10, { rows: 6 });
      await stage.untilKilled(victim);
      await requireSome(stage, 'last part waits for nothing', LEFT_WAITING);
      await stage.start({ name: 'survivor' });
      await feeding;
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGKILL in step 5a, some parts of a job made, the others not',
    promise: 'no part has left, and the next builder makes all of them',
    play: async (stage) => {
      const [victim] = await stage.start({ name: 'victim', failpoint: 'mid-build:3' });
      stage.faultWhenEnds(victim);
      await stage.atEachSink(victim, 'PATCH', '', { config: { maxRowsPerPush: 1_000 } });
      const feeding = stage.finishJobs(1, { rows: 5_500 });
      await stage.untilKilled(victim);
      await requireSome(stage, 'part is made and not ready', HALF_MADE);
      if (stage.ledger.length > 0) throw new Error('a part has left before all were made');
      await stage.start({ name: 'survivor' });
      await feeding;
      await stage.untilClear();
    },
  },
];

const LEFT_WAITING = `
SELECT FROM agent_data_source_delivery d JOIN agent_data_source_delivery o USING (data_source_id, job_id, run)
 WHERE d.part = 2 AND d.part_count = 2 AND d.status = 'PENDING' AND d.next_attempt_at IS NULL
   AND o.part = 1 AND o.status = 'DELIVERED'`;

const HALF_MADE = `
SELECT FROM agent_data_source_payload
 WHERE NOT ready AND sha256 IS NOT NULL AND NOT EXISTS (SELECT FROM agent_data_source_payload WHERE ready)`;

/**
 * @param {import('../harness/stage.js').Stage} stage
 * @param {string} what
 * @param {string} sql
 */
async function requireSome(stage, what, sql) {
  if ((await stage.query(sql)).length === 0) throw new Error(`no ${what}: the victim died elsewhere`);
}
