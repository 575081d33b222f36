// @ts-check

/**
 * @typedef {object} Scenario
 * @property {string} fault as the table names it
 * @property {string} promise as a test's name: what holds all the same
 * @property {(stage: import('../harness/stage.js').Stage) => Promise<void>} play ends when the backlog is clear; throws
 * when something did not happen as it must
 *
 * @typedef {import('../harness/reckoning.js').Reckoning & { fault: string, clearMs: number }} Result
 */

/**
 * Plays a scenario and compares the tables with what the receiver saw. Workers that are left end in order.
 * @param {import('../harness/laboratory.js').Laboratory} laboratory
 * @param {Scenario} scenario
 * @returns {Promise<Result>}
 */
export async function playScenario(laboratory, { fault, play }) {
  const stage = await laboratory.stage();
  try {
    await play(stage);
    const reckoning = await stage.reckon();
    const unclean = (await stage.close()).filter(({ how }) => how !== 0);
    const oddities = unclean.map(({ worker, how }) => `${worker.name} ended with ${String(how)} on SIGTERM`);
    return { fault, ...reckoning, oddities: [...reckoning.oddities, ...oddities] };
  } catch (error) {
    const said = stage.workers.map((worker) => `--- ${worker.name}\n${worker.lastWords}`).join('\n');
    throw new Error(`${fault}: ${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
  } finally {
    await stage.abandon();
  }
}
