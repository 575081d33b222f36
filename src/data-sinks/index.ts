export { ProblemFilter } from './api/index.js';
export type { ConsoleOptions, ConsoleSession } from '../console/index.js';
export { DataSinks } from './data-sinks.js';
export { DataSinksHealth, type DataSinksHealthReport, type HealthReason } from './data-sinks.health.js';
export { DataSinksModule } from './data-sinks.module.js';
export type { DataSinksOptions } from './data-sinks.options.js';
export type {
  DataSinksAsyncOptions,
  DataSinksOptionsFactory,
  DataSinksPorts,
  DataSinksStructure,
} from './settings/structure.js';
export { dataSinksEntities } from './database/entities/index.js';
export { type BrokenAuditChain, verifyAuditChains } from './database/audit/audit-chain.js';
export { dataSinksMigrations } from './database/migrations.js';
export type { ErasureRequest } from './settlement/payload-erasure.js';
export { JOB_COMPLETED_EVENT } from './intake/job-completed.listener.js';

/** Experimental: a type of sink of the host's own. */
export {
  type AcceptedSecret,
  type Admission,
  type AttemptUnderway,
  type ConfigChange,
  Destination,
  type Given,
  type Leftover,
  type ProbedPush,
  type ProbeReport,
  type ProbeStep,
  type Push,
  type PushPreparation,
  type ReadyPush,
  type SecretValues,
  type SendReport,
} from './destinations/destination.js';
export { type AttemptOutcome, outcome, type Verdict } from './domain/attempt-outcome.js';
export type { ManifestEntry } from './domain/attempt.js';
export type { SinkConfig } from './domain/data-sink.js';
export { BodySettingsFields } from './api/dto/body-settings.fields.js';

export * from './ports/index.js';
export type { JobCompleted, JobKey, JobStats, MappingResultRow } from './domain/job-completed.js';
export { invalidHostId, MAX_HOST_ID_LENGTH } from './domain/host-id.js';
export type { TraceContext } from './domain/trace-context.js';
export { ConfigurationError, ProblemError, PROBLEMS, type ProblemCode } from './domain/errors.js';
export {
  DATA_SINK_EVENTS,
  type DataSinkDisabled,
  type DataSinkEvent,
  type DataSinkEventName,
  type DataSinkEvents,
  type DataSinkPushDelivered,
  type DataSinkPushEvent,
  type DataSinkPushCancelled,
  type DataSinkPushFailed,
  type DataSinkReactivated,
  type DataSinkSecretExpiring,
} from './domain/domain-events.js';
export type { DisabledReason } from './domain/data-sink.js';
export type { PushPart } from './domain/body/payload-recipe.js';
export { type DataSinkRules, parseRules, type RulesResult, type RuleViolation } from './domain/data-sink-rules.js';

export { type KeyRing, parseKeyRing } from './vault/key-ring.js';
export { reencryptSecrets, type ReencryptOptions, type ReencryptReport } from './vault/reencrypt-secrets.js';
