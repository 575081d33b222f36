// @ts-check
import { writeFileSync } from 'node:fs';

/**
 * Ends every run with a line that says it all. A suite that could not even run counts as one failure: its tests are not
 * among Jest's. `.ci/run` reads the same numbers from the file that TEST_TOTALS_FILE names.
 */
export default class TotalsReporter {
  /**
   * @param {unknown} _contexts
   * @param {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number }} results
   */
  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const file = process.env['TEST_TOTALS_FILE'];
    if (file) writeFileSync(file, JSON.stringify({ passed, failed }));
    // Jest's own summary is always last among the reporters.
    process.once('exit', () => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  }
}
