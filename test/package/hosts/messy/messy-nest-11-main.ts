import { runMessyHost } from './messy-host.js';
import { express } from './messy-nest-11-express.js';

void runMessyHost(express);
