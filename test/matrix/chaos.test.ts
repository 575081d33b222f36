import { describeScenarios } from '../chaos/harness/describe-scenarios.js';
import { writeReliabilityPage } from '../chaos/harness/report.js';
import { SCENARIOS } from '../chaos/scenarios/index.js';

describeScenarios(SCENARIOS, async (results) => {
  if (process.env['WRITE_DOCS'] === '1') await writeReliabilityPage([...results]);
});
