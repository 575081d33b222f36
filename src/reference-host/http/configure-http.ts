import { HttpAdapterHost } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ProblemFilter } from '../../data-sinks/index.js';
import { configureBodies } from './bodies.js';
import { HostProblemFilter } from './host-problem.js';

/** Everything about HTTP that is not a route. */
export function configureHttp(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  configureBodies(app);
  // Nest asks the last one first.
  app.useGlobalFilters(new ProblemFilter(app.get(HttpAdapterHost)), new HostProblemFilter());
}
