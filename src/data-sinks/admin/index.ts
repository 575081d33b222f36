import type { Provider, Type } from '@nestjs/common';
import { AgentGatekeeper } from './agent-gatekeeper.js';
import { DataSinkAdmin } from './data-sink-admin.js';
import { DataSourcesController } from './data-sources.controller.js';
import { DeliveriesController } from './deliveries.controller.js';
import { EndpointAdmission } from './endpoint-admission.js';
import { PayloadDownload } from './payload-download.js';
import { PushAdmin } from './push-admin.js';
import { PushesController } from './pushes.controller.js';
import { RecoveriesController } from './recoveries.controller.js';
import { RecoveryAdmin } from './recovery-admin.js';
import { RequestLimit } from './request-limit.js';
import { RetiredSecrets } from './retired-secrets.js';
import { SecretRotation } from './secret-rotation.js';
import { SinkHealthController } from './sink-health.controller.js';
import { SinkReactivation } from './sink-reactivation.js';
import { SinkTest } from './sink-test.js';

export const adminControllers: readonly Type[] = [
  DataSourcesController,
  SinkHealthController,
  PushesController,
  DeliveriesController,
  RecoveriesController,
];

export const adminProviders: readonly Provider[] = [
  RequestLimit,
  AgentGatekeeper,
  EndpointAdmission,
  DataSinkAdmin,
  RetiredSecrets,
  SecretRotation,
  SinkReactivation,
  SinkTest,
  PushAdmin,
  RecoveryAdmin,
  PayloadDownload,
];

export { LenientJson } from './lenient-json.js';
export { mountedAt } from './mounted-controller.js';
export { ProblemFilter } from './problem.filter.js';
