// @ts-check
export { CRASHES } from './crashes.js';
export { OUTAGES } from './outages.js';
export { playScenario } from './scenario.js';
export { backlog, WORKERS } from './workers.js';
