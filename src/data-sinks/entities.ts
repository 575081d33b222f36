import { PayloadChunkEntity } from './payload/payload-chunk.entity.js';
import { PayloadEntity } from './payload/payload.entity.js';
import { AttemptEntity } from './persistence/attempt.entity.js';
import { AuditEntryEntity } from './persistence/audit-entry.entity.js';
import { AuditHeadEntity } from './persistence/audit-head.entity.js';
import { CompletedJobEntity } from './persistence/completed-job.entity.js';
import { DataSourceEntity } from './persistence/data-source.entity.js';
import { DeliveryEntity } from './persistence/delivery.entity.js';
import { RecoveryEntity } from './persistence/recovery.entity.js';
import { SecretEntity } from './vault/secret.entity.js';

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
];
