export { ProblemFilter } from './admin/index.js';
export type { ConsoleOptions, ConsoleSession } from './console/index.js';
export { DataSinks } from './data-sinks.js';
export { DataSinksHealth, type DataSinksHealthReport } from './data-sinks-health.js';
export { DataSinksModule } from './data-sinks.module.js';
export type { DataSinksOptions } from './data-sinks.options.js';
export type { DataSinksAsyncOptions, DataSinksPorts, DataSinksStructure } from './data-sinks.structure.js';
export { dataSinksEntities } from './entities.js';
export { type BrokenAuditChain, verifyAuditChains } from './persistence/audit-chain.js';
export { dataSinksMigrations } from './migrations.js';
export { type ErasureRequest, JOB_COMPLETED_EVENT } from './pipeline/index.js';

export * from './ports/index.js';
export type { JobCompleted, JobKey, JobStats, MappingResultRow } from './core/job-completed.js';
export type { TraceContext } from './core/trace-context.js';
export { ConfigurationError, ProblemError, PROBLEMS, type ProblemCode } from './core/errors.js';
export {
  DATA_SINK_EVENTS,
  type DataSinkDisabled,
  type DataSinkEvent,
  type DataSinkEventName,
  type DataSinkEvents,
  type DataSinkPushDelivered,
  type DataSinkPushEvent,
  type DataSinkPushFailed,
  type DataSinkReactivated,
  type DataSinkSecretExpiring,
} from './core/domain-events.js';
export type { DisabledReason } from './core/data-sink.js';
export type { PushPart } from './core/payload-recipe.js';
export { type DataSinkRules, parseRules, type RulesResult, type RuleViolation } from './core/rules.js';

export { type KeyRing, parseKeyRing } from './vault/key-ring.js';
export { reencryptSecrets, type ReencryptOptions, type ReencryptReport } from './vault/reencrypt-secrets.js';
