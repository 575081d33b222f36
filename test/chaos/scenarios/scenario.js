// @ts-check

/**
 * @typedef {object} Scenario
 * @property {string} fault as the table names it
 * @property {string} promise as a test's name: what holds all the same
 * @property {boolean} [standing] played where two workers, `first` and `second`, go on from scenario to scenario
 * @property {(stage: import('../harness/stage.js').Stage) => Promise<void>} play ends when the backlog is clear; throws
 * when something did not happen as it must
 *
 * @typedef {import('../harness/reckoning.js').Reckoning & { fault: string, clearMs: number }} Result
 */

/**
 * Plays a scenario and compares the tables with what the receiver saw. Workers that are left end in order, unless the
 * stage stays.
 * @param {import('../harness/laboratory.js').Laboratory} laboratory
 * @param {Scenario} scenario
 * @returns {Promise<Result>}
 */
export async function playScenario(laboratory, { fault, play, standing = false }) {
  const stage = await laboratory.stage(standing);
  try {
    await play(stage);
    const reckoning = await stage.reckon();
    if (standing) return { fault, ...reckoning };
    const unclean = (await stage.close()).filter(({ how }) => how !== 0);
    const oddities = unclean.map(({ worker, how }) => `${worker.name} ended with ${String(how)} on SIGTERM`);
    await stage.abandon();
    return { fault, ...reckoning, oddities: [...reckoning.oddities, ...oddities] };
  } catch (error) {
    const said = stage.workers.map((worker) => `--- ${worker.name}\n${worker.lastWords}`).join('\n');
    laboratory.discard(stage);
    await stage.abandon();
    throw new Error(`${fault}: ${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
  }
}
