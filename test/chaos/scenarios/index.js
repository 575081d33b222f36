// @ts-check
import { CRASHES } from './crashes.js';
import { OUTAGES } from './outages.js';
import { PARTS } from './parts.js';
import { PAUSES } from './pauses.js';
import { RECOVERIES } from './recoveries.js';
import { ROTATIONS } from './rotations.js';
import { WORKERS, backlog } from './workers.js';

export { STEPS } from './crashes.js';
export { playScenario } from './scenario.js';
export { soak } from './soak.js';

const FAULTS = [...CRASHES, ...PARTS, ...RECOVERIES, ...ROTATIONS, ...OUTAGES, ...PAUSES, ...WORKERS];

/** Every fault once, in about seven minutes. */
export const SCENARIOS = [...FAULTS, backlog(500)];

/** The same with the backlog of a bad day. */
export const LONG_SCENARIOS = [...FAULTS, backlog(10_000)];
