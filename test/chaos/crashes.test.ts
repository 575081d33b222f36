import { describeScenarios } from './harness/describe-scenarios.js';
import { STEPS } from './scenarios/index.js';

describeScenarios(STEPS);
