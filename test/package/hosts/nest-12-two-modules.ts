import { startTwoModules } from './two-modules.js';

await startTwoModules(() => ({}));
