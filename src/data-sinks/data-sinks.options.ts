import { hostname } from 'node:os';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { DEFAULT_RETRY_WAITS_MS } from './core/backoff-schedule.js';
import { ConfigurationError } from './core/errors.js';
import {
  checkNumber,
  LONGEST_TIMER_MS,
  type NumberRule,
  OPTION_CHECKS,
  refuseUnknown,
} from './data-sinks.option-checks.js';
import type { PushDeadlines, Resolver } from './egress/index.js';
import { DEFAULT_ENTITLED_PLANS } from './ports/workspace-plans.js';

/** The module's settings. All have defaults but `vaultKeys`. */
export interface DataSinksOptions {
  /**
   * Keys of the default vault: `id:base64` entries of 32 bytes each, separated by commas; the first encrypts, all
   * decrypt. Needed unless the host brings its own `SecretVault`.
   */
  readonly vaultKeys?: string;
  /** Plans that include data sinks. @default ['PRO_MAX', 'ENTERPRISE'] */
  readonly entitledPlans?: readonly string[];

  /** Ranges (CIDR) of private addresses that may be pushed to, also over plain http: for development. @default [] */
  readonly allowPrivateEndpoints?: readonly string[];
  /** Ports that a public endpoint may use. @default [443] */
  readonly allowedPorts?: readonly number[];
  /** PEM certificates of authorities to trust beside the well-known ones. @default [] */
  readonly trustedCertificates?: readonly string[];
  /** Resolves endpoint names. @default the operating system's resolver */
  readonly resolver?: Resolver;
  /** Deadlines of the phases of an attempt, in milliseconds. @default see PushDeadlines */
  readonly deadlines?: Partial<PushDeadlines>;

  /**
   * Whether the worker's statements are prepared once per connection, which spares PostgreSQL a third of the work. Set it
   * to false behind a pooler that shares connections between transactions and does not know prepared statements
   * (PgBouncer before 1.24, or with `max_prepared_statements = 0`). @default true
   */
  readonly preparedStatements?: boolean;

  /** Whether this process delivers. An API-only process sets it to false. @default true */
  readonly worker?: boolean;
  /** Names this process on the attempts it makes. @default host name and process id */
  readonly workerId?: string;
  /** Deliveries in flight in this process. @default 512 */
  readonly maxInFlight?: number;
  /** Deliveries in flight per sink, over all processes. @default 16 */
  readonly maxInFlightPerSink?: number;
  /** Deliveries in flight per workspace, over all processes. @default 256 */
  readonly maxInFlightPerWorkspace?: number;
  /** Deliveries taken by one claim. @default 128 */
  readonly claimBatch?: number;
  /** A worker that has not been heard of for so long is taken for dead. @default 60000 */
  readonly leaseMs?: number;
  /** How often to look for due deliveries without being woken. @default 1000 */
  readonly pollMs?: number;
  /** How often to look for what crashes left behind. @default 10000 */
  readonly sweepMs?: number;
  /** A delivery whose worker died so often ends FAILED. @default 5 */
  readonly maxAbandoned?: number;
  /** So many failed deliveries within `disableWithinMs` disable their sink. @default 5 */
  readonly disableAfter?: number;
  /** @default 86400000 (24 hours) */
  readonly disableWithinMs?: number;
  /** So many attempts in a row that find a receiver down pause its sink's fresh deliveries. @default 5 */
  readonly pauseAfter?: number;
  /** For so long at first, then twice as long each time. @default 30000 */
  readonly pauseMs?: number;
  /** But never longer. @default 300000 (5 minutes) */
  readonly longestPauseMs?: number;
  /** `DataSinkSecretExpiring` is emitted so long before a rotated secret ends. @default 3600000 (1 hour) */
  readonly secretExpiringNoticeMs?: number;
  /** A recovery goes back so far at most. @default 1209600000 (14 days) */
  readonly recoverWithinMs?: number;
  /** Deliveries of one recovery, at most. @default 10000 */
  readonly recoverAtMost?: number;
  /** How far the first look for missed completions goes back. @default 86400000 (24 hours) */
  readonly missedCompletionsMs?: number;
  /** Waits before the retries; the last one repeats. @default [5000, 30000, 300000] */
  readonly retryWaitsMs?: readonly number[];
  /** At shutdown, attempts in flight may take so long to finish, and a sweep under way. @default 25000 */
  readonly shutdownGraceMs?: number;
  /** Bodies kept in memory while their deliveries run. @default 33554432 (32 MB) */
  readonly payloadCacheBytes?: number;

  /** Payload bytes are kept so long after the last delivery of the same body settled. @default 604800000 (7 days) */
  readonly payloadRetentionMs?: number;
  /** Whether payload bytes go as soon as all deliveries of the same body are delivered. @default false */
  readonly erasePayloadsOnSuccess?: boolean;
  /** Attempts are kept so long, and to the end of their month. @default 7776000000 (90 days) */
  readonly attemptRetentionMs?: number;
  /** Settled deliveries, and the completions they are of, are kept so long. @default 31536000000 (365 days) */
  readonly deliveryRetentionMs?: number;

  /** Where metrics go. @default the OpenTelemetry SDK that was registered before the module was made, or nowhere */
  readonly meterProvider?: MeterProvider;
  /** Where spans go. @default as for metrics */
  readonly tracerProvider?: TracerProvider;

  /** Sinks per agent. @default 20 */
  readonly sinksPerAgent?: number;
  /** Sinks per workspace. @default 200 */
  readonly sinksPerWorkspace?: number;
  /** Uses of the Test button per sink and minute. @default 6 */
  readonly testsPerMinute?: number;
  /** Requests to the module's endpoints per token and minute, in this process. @default 600 */
  readonly requestsPerMinute?: number;
}

/** What has no default of its own. */
type Unset = 'vaultKeys' | 'resolver' | 'meterProvider' | 'tracerProvider';

export type ResolvedDataSinksOptions = Readonly<Required<Omit<DataSinksOptions, Unset>>> &
  Pick<DataSinksOptions, Unset>;

const DAY_MS = 86_400_000;

const NUMBERS = {
  maxInFlight: { default: 512, min: 1 },
  maxInFlightPerSink: { default: 16, min: 1 },
  maxInFlightPerWorkspace: { default: 256, min: 1 },
  claimBatch: { default: 128, min: 1 },
  leaseMs: { default: 60_000, min: 1_000, max: LONGEST_TIMER_MS },
  pollMs: { default: 1_000, min: 10, max: LONGEST_TIMER_MS },
  sweepMs: { default: 10_000, min: 10, max: LONGEST_TIMER_MS },
  maxAbandoned: { default: 5, min: 1 },
  disableAfter: { default: 5, min: 1 },
  disableWithinMs: { default: 86_400_000, min: 1 },
  pauseAfter: { default: 5, min: 1 },
  pauseMs: { default: 30_000, min: 1 },
  longestPauseMs: { default: 300_000, min: 1 },
  secretExpiringNoticeMs: { default: 3_600_000, min: 0 },
  recoverWithinMs: { default: 14 * DAY_MS, min: 1 },
  recoverAtMost: { default: 10_000, min: 1 },
  missedCompletionsMs: { default: 86_400_000, min: 0 },
  shutdownGraceMs: { default: 25_000, min: 0, max: LONGEST_TIMER_MS },
  payloadCacheBytes: { default: 32 * 1024 * 1024, min: 0 },
  payloadRetentionMs: { default: 7 * DAY_MS, min: 0 },
  attemptRetentionMs: { default: 90 * DAY_MS, min: DAY_MS },
  deliveryRetentionMs: { default: 365 * DAY_MS, min: DAY_MS },
  sinksPerAgent: { default: 20, min: 1 },
  sinksPerWorkspace: { default: 200, min: 1 },
  testsPerMinute: { default: 6, min: 1 },
  requestsPerMinute: { default: 600, min: 1 },
} as const satisfies Partial<Record<keyof DataSinksOptions, NumberRule & { readonly default: number }>>;

type NumberOption = keyof typeof NUMBERS;

/**
 * Fills in the defaults.
 * @throws ConfigurationError that says which option is wrong and what it may be
 */
export function resolveOptions(given: DataSinksOptions): ResolvedDataSinksOptions {
  check(given);
  const numbers = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, rule]) => [name, given[name as NumberOption] ?? rule.default]),
  ) as Record<NumberOption, number>;
  // A completion that was forgotten while it is still looked for would be taken for a missed one, and pushed again.
  if (numbers.deliveryRetentionMs <= numbers.missedCompletionsMs) {
    throw new ConfigurationError('deliveryRetentionMs must be longer than missedCompletionsMs');
  }
  return Object.freeze({
    ...numbers,
    retryWaitsMs: given.retryWaitsMs ?? DEFAULT_RETRY_WAITS_MS,
    vaultKeys: given.vaultKeys,
    resolver: given.resolver,
    meterProvider: given.meterProvider,
    tracerProvider: given.tracerProvider,
    entitledPlans: given.entitledPlans ?? DEFAULT_ENTITLED_PLANS,
    allowPrivateEndpoints: given.allowPrivateEndpoints ?? [],
    allowedPorts: given.allowedPorts ?? [443],
    trustedCertificates: given.trustedCertificates ?? [],
    deadlines: given.deadlines ?? {},
    erasePayloadsOnSuccess: given.erasePayloadsOnSuccess ?? false,
    preparedStatements: given.preparedStatements ?? true,
    worker: given.worker ?? true,
    workerId: given.workerId ?? `${hostname()}:${process.pid}`,
  });
}

function check(given: DataSinksOptions): void {
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError('useFactory must return the settings, as an object');
  }
  refuseUnknown('the options of DataSinksModule', given, [...Object.keys(OPTION_CHECKS), ...Object.keys(NUMBERS)]);
  for (const [name, rule] of Object.entries(NUMBERS)) checkNumber(name, given[name as NumberOption], rule);
  for (const [name, checkOne] of Object.entries(OPTION_CHECKS)) {
    const value = given[name as keyof typeof OPTION_CHECKS];
    if (value !== undefined && value !== null) checkOne(name, value);
  }
}
