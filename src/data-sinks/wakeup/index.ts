export { InProcessWakeup } from './in-process.wakeup.js';
export { Wakeup } from './wakeup.js';
