// @ts-check
import { startServices } from './services.js';

/** For the test of what becomes of the services of a process that is killed: has them, says where, and stays. */
const { running } = await startServices();
process.send?.(Object.values(running).map(({ url }) => url));
setInterval(() => undefined, 1 << 30);
