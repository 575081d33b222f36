// @ts-check
import { CRASHES } from './crashes.js';
import { OUTAGES } from './outages.js';
import { WORKERS, backlog } from './workers.js';

export { playScenario } from './scenario.js';
export { soak } from './soak.js';

/** Every fault once, in about two minutes. */
export const SCENARIOS = [...CRASHES, ...OUTAGES, ...WORKERS, backlog(500)];

/** The same with the backlog of a bad day. */
export const LONG_SCENARIOS = [...CRASHES, ...OUTAGES, ...WORKERS, backlog(10_000)];
