import type { NestExpressApplication } from '@nestjs/platform-express';
import { ProblemFilter } from '../../data-sinks/index.js';
import { configureBodies } from './bodies.js';
import { HostProblemFilter } from './host-problem.js';

/**
 * Keep-alive timeout. A client that reuses a connection while it is being closed gets a reset. Node's default is 5 s;
 * load balancers keep connections for 60 s, so the server must keep them longer.
 */
const KEEP_ALIVE_MS = 75_000;

/** All HTTP settings except the routes. */
export function configureHttp(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
  configureBodies(app);
  // Nest calls the last filter first.
  app.useGlobalFilters(app.get(ProblemFilter), new HostProblemFilter());
}
