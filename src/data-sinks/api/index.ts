import type { Provider, Type } from '@nestjs/common';
import { ApiExtraModels } from '@nestjs/swagger';
import { AgentGatekeeper } from './agent-gatekeeper.js';
import { DataSourcesController } from './controllers/data-sources.controller.js';
import { DeliveriesController } from './controllers/deliveries.controller.js';
import { PayloadDownload } from './payload-download.js';
import { PushAdmin } from './push-admin.js';
import { WaitingAdmin } from './waiting-admin.js';
import { PushesController } from './controllers/pushes.controller.js';
import { RecoveriesController } from './controllers/recoveries.controller.js';
import { ANSWER_HEADERS } from './http/answer-headers.js';
import { LenientJson } from './http/lenient-json.js';
import { OurProblemFilter, ProblemFilter } from './http/problem.filter.js';
import { RequestLimit } from './http/request-limit.js';
import { SinkHealthController } from './controllers/sink-health.controller.js';
import { RequestValidationPipe } from './http/request-validation.pipe.js';
import { WorkspaceAccessGuard } from './http/workspace-access.guard.js';
import { mountedAt, type Mounting } from '../routes/mounted-controller.js';
import { MountedRoutes } from '../routes/mounted-routes.js';

const CONTROLLERS: readonly Type[] = [
  DataSourcesController,
  SinkHealthController,
  PushesController,
  DeliveriesController,
  RecoveriesController,
];

/**
 * The API's controllers, mounted, and out of reach of what the host has for its own.
 * @param fields of `config` and `secret` of the types of sinks that the host added, for the document
 */
export function apiControllers(
  mounting: Pick<Mounting, 'mount' | 'path' | 'decorators'>,
  fields: readonly Type<object>[],
): readonly Type[] {
  const ours = { guards: [WorkspaceAccessGuard], filter: OurProblemFilter, pipe: new RequestValidationPipe() };
  const api: Mounting = { ...mounting, part: 'api', ...ours, headers: ANSWER_HEADERS };
  const decorators = [...mounting.decorators, ...fields.map((it) => ApiExtraModels(it) as ClassDecorator)];
  return CONTROLLERS.map((controller) => mountedAt({ ...api, decorators }, controller));
}

export const apiProviders: readonly Provider[] = [
  MountedRoutes,
  LenientJson,
  RequestLimit,
  AgentGatekeeper,
  PushAdmin,
  WaitingAdmin,
  PayloadDownload,
  ProblemFilter,
];

export { ProblemFilter };
