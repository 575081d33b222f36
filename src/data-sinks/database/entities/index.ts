import { PayloadChunkEntity } from './payload-chunk.entity.js';
import { PayloadEntity } from './payload.entity.js';
import { AttemptEntity } from './attempt.entity.js';
import { AuditEntryEntity } from './audit-entry.entity.js';
import { AuditHeadEntity } from './audit-head.entity.js';
import { AuditOutboxEntity } from './audit-outbox.entity.js';
import { CompletedJobEntity } from './completed-job.entity.js';
import { DataSourceEntity } from './data-source.entity.js';
import { DeliveryEntity } from './delivery.entity.js';
import { RecoveryEntity } from './recovery.entity.js';
import { SecretEntity } from './secret.entity.js';
import { WorkerEntity } from './worker.entity.js';
import { WorkspaceEntity } from './workspace.entity.js';

/** The module's entities, for the `entities` of the host's own `DataSource`. */
export const dataSinksEntities = [
  DataSourceEntity,
  CompletedJobEntity,
  DeliveryEntity,
  RecoveryEntity,
  AttemptEntity,
  PayloadEntity,
  PayloadChunkEntity,
  SecretEntity,
  AuditEntryEntity,
  AuditHeadEntity,
  AuditOutboxEntity,
  WorkerEntity,
  WorkspaceEntity,
];
