import type { NestExpressApplication } from '@nestjs/platform-express';
import { configureBodies } from './bodies.js';
import { HostProblemFilter } from './host-problem.js';

/** Everything about HTTP that is not a route. */
export function configureHttp(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  configureBodies(app);
  app.useGlobalFilters(new HostProblemFilter());
}
