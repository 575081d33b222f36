import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { DEFAULT_RETRY_WAITS_MS } from './domain/retry-schedule.js';
import { ConfigurationError, PROBLEM_TYPE_BASE } from './domain/errors.js';
import type { PushDeadlines, Resolver } from './egress/index.js';
import { DEFAULT_ENTITLED_PLANS } from './ports/workspace-plans.js';
import * as be from './settings/option-checks.js';

const DAY_MS = 86_400_000;

/** By option. Filled below, once, as the class is read. */
const CHECKS = new Map<string, be.Check>();

/** What an option must be when it is given. */
function Must(check: be.Check): PropertyDecorator {
  return (_options, name) => void CHECKS.set(String(name), check);
}

/**
 * The table of options: what each is for, its default, its check, its type and its value when the host gives none. A test
 * compares docs/operations.md with it: the first paragraph of a comment is what the page says, `@default` its default.
 */
export class ResolvedDataSinksOptions {
  /**
   * Keys of the default vault: `id:base64` entries of 32 bytes each, separated by commas; the first encrypts, all decrypt.
   * Needed unless the host brings its own `SecretVault`.
   * @default none
   */
  @Must(be.vaultKeys)
  readonly vaultKeys?: string;
  /** Plans that include data sinks. @default ['PRO_MAX', 'ENTERPRISE'] */
  @Must(be.texts('plan names'))
  readonly entitledPlans: readonly string[] = DEFAULT_ENTITLED_PLANS;

  /** Ranges (CIDR) of private addresses that may be pushed to, also over plain http: for development. @default [] */
  @Must(be.texts("ranges of addresses such as '127.0.0.0/8'"))
  readonly allowPrivateEndpoints: readonly string[] = [];
  /** Ports that a public endpoint may use. @default [443] */
  @Must(be.ports)
  readonly allowedPorts: readonly number[] = [443];
  /** PEM certificates of authorities, beside those that Node trusts and those of `NODE_EXTRA_CA_CERTS`. @default [] */
  @Must(be.certificates)
  readonly trustedCertificates: readonly string[] = [];
  /** Resolves endpoint names. @default the operating system's */
  @Must(be.resolver)
  readonly resolver?: Resolver;
  /** Deadlines of the phases of an attempt, in milliseconds. @default see `PushDeadlines` */
  @Must(be.deadlines)
  readonly deadlines: Partial<PushDeadlines> = {};

  /**
   * Prepares the statements of each delivery once per connection, in the host's transactions too, which spares PostgreSQL
   * half of the work. `false` behind a pooler that shares connections between transactions and does not know prepared
   * statements (PgBouncer before 1.24, or with `max_prepared_statements = 0`).
   * @default true
   */
  @Must(be.flag)
  readonly preparedStatements: boolean = true;

  /** Whether this process delivers. An API-only process sets it to `false`. @default true */
  @Must(be.flag)
  readonly worker: boolean = true;
  /** Names this process on the attempts it makes. @default host name, process id and a random part for each boot */
  @Must(be.text('a text that names this process'))
  readonly workerId: string = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  /** Deliveries in flight in this process. @default 512 */
  @Must(be.wholeNumber(1))
  readonly maxInFlight: number = 512;
  /** Deliveries in flight per sink, over all processes. @default 16 */
  @Must(be.wholeNumber(1))
  readonly maxInFlightPerSink: number = 16;
  /** Deliveries in flight per workspace, over all processes. @default 256 */
  @Must(be.wholeNumber(1))
  readonly maxInFlightPerWorkspace: number = 256;
  /** Deliveries taken by one claim. @default 128 */
  @Must(be.wholeNumber(1))
  readonly claimBatch: number = 128;
  /**
   * A worker that has not been heard of for this long is taken for dead. One whose connection the database has closed is
   * after 8 seconds.
   * @default 60000 (1 minute)
   */
  @Must(be.timer(1_000))
  readonly leaseMs: number = 60_000;
  /** How often to look for due deliveries without being woken. @default 1000 (1 second) */
  @Must(be.timer(10))
  readonly pollMs: number = 1_000;
  /** How often to look for what crashes left behind. @default 10000 (10 seconds) */
  @Must(be.timer(10))
  readonly sweepMs: number = 10_000;
  /** Number of workers that may die of a delivery before it ends `FAILED`. @default 5 */
  @Must(be.wholeNumber(1))
  readonly maxAbandoned: number = 5;
  /**
   * Number of deliveries that fail in a row, with none delivered between them, that disables their sink, once
   * `disableAfterMs` has passed. Only failures for reasons of the receiver count; a 410 disables at once.
   * @default 5
   */
  @Must(be.wholeNumber(1))
  readonly disableAfter: number = 5;
  /**
   * Time since the first of those failures, at least, before the sink is disabled. It replaces `disableWithinMs`, which
   * stops the boot.
   * @default 3600000 (1 hour)
   */
  @Must(be.wholeNumber(0))
  readonly disableAfterMs: number = 3_600_000;
  /**
   * Number of attempts in a row that find a receiver down (no connection, no answer in time, 5xx) that pauses the fresh
   * deliveries of its sink.
   * @default 5
   */
  @Must(be.wholeNumber(1))
  readonly pauseAfter: number = 5;
  /** Length of the first pause; each one after it is twice as long. @default 30000 (30 seconds) */
  @Must(be.wholeNumber(1))
  readonly pauseMs: number = 30_000;
  /** Length of a pause, at most. @default 300000 (5 minutes) */
  @Must(be.wholeNumber(1))
  readonly longestPauseMs: number = 300_000;
  /** How long before the overlap of a rotated secret ends `DataSinkSecretExpiring` is emitted. @default 3600000 (1 hour) */
  @Must(be.wholeNumber(0))
  readonly secretExpiringNoticeMs: number = 3_600_000;
  /** How far back a recovery goes, at most. @default 1209600000 (14 days) */
  @Must(be.wholeNumber(1))
  readonly recoverWithinMs: number = 14 * DAY_MS;
  /** Deliveries of one recovery, at most. @default 10000 */
  @Must(be.wholeNumber(1))
  readonly recoverAtMost: number = 10_000;
  /** How far the first look for missed completions goes back. @default 86400000 (24 hours) */
  @Must(be.wholeNumber(0))
  readonly missedCompletionsMs: number = DAY_MS;
  /** Waits before the retries; the last one repeats. @default [5000, 30000, 300000] */
  @Must(be.waits)
  readonly retryWaitsMs: readonly number[] = DEFAULT_RETRY_WAITS_MS;
  /** How long attempts in flight may take at shutdown, and a sweep under way. @default 25000 (25 seconds) */
  @Must(be.timer(0))
  readonly shutdownGraceMs: number = 25_000;
  /** Bytes of bodies kept in memory while their deliveries run. @default 33554432 (32 MB) */
  @Must(be.wholeNumber(0))
  readonly payloadCacheBytes: number = 32 * 1024 * 1024;

  /** How long payload bytes are kept after the last delivery of the same body settled. @default 604800000 (7 days) */
  @Must(be.wholeNumber(0))
  readonly payloadRetentionMs: number = 7 * DAY_MS;
  /** Whether payload bytes go as soon as all deliveries of the same body are delivered. @default false */
  @Must(be.flag)
  readonly erasePayloadsOnSuccess: boolean = false;
  /** How long attempts are kept, and to the end of their month. @default 7776000000 (90 days) */
  @Must(be.wholeNumber(DAY_MS))
  readonly attemptRetentionMs: number = 90 * DAY_MS;
  /** How long settled deliveries are kept, and the completions they are of. @default 31536000000 (365 days) */
  @Must(be.wholeNumber(DAY_MS))
  readonly deliveryRetentionMs: number = 365 * DAY_MS;

  /** Where metrics go. @default the OpenTelemetry SDK that was registered before the module was made, or nowhere */
  @Must(be.meterProvider)
  readonly meterProvider?: MeterProvider;
  /** Where spans go: `data_sinks.attempt` and `data_sinks.test`. @default as for metrics */
  @Must(be.tracerProvider)
  readonly tracerProvider?: TracerProvider;

  /** Sinks per agent. @default 20 */
  @Must(be.wholeNumber(1))
  readonly sinksPerAgent: number = 20;
  /** Sinks per workspace. @default 200 */
  @Must(be.wholeNumber(1))
  readonly sinksPerWorkspace: number = 200;
  /** Uses of the Test button per sink and minute, over all processes; a workspace has five times as many. @default 6 */
  @Must(be.wholeNumber(1))
  readonly testsPerMinute: number = 6;
  /**
   * Whether the destination is pinged when a sink is saved: an endpoint by `OPTIONS` without credentials, a bucket by a
   * list of no objects. A failure is a warning. Counts as a Test.
   * @default true
   */
  @Must(be.flag)
  readonly pingOnSave: boolean = true;
  /** Requests to the module's endpoints per token and minute, in this process. @default 600 */
  @Must(be.wholeNumber(1))
  readonly requestsPerMinute: number = 600;
  /**
   * What the `type` of each error answer begins with; the error's code follows. An address where the host's own
   * documentation explains the codes.
   * @default 'https://mapping.travel/errors/'
   */
  @Must(be.errorBase)
  readonly errorBase: string = PROBLEM_TYPE_BASE;
}

/** The module's settings. All have defaults but `vaultKeys`. */
export type DataSinksOptions = Partial<ResolvedDataSinksOptions>;

/**
 * Checks what is given and fills in the defaults.
 * @throws ConfigurationError that says which option is wrong and what it may be
 */
export function resolveOptions(given: DataSinksOptions): ResolvedDataSinksOptions {
  if (typeof given !== 'object' || given === null) {
    throw new ConfigurationError('useFactory must return an object of options');
  }
  be.refuseReplaced(given);
  be.refuseUnknown('the options of DataSinksModule', given, [...CHECKS.keys()]);
  const set = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of set) CHECKS.get(name)?.(name, value);
  const options = Object.assign(new ResolvedDataSinksOptions(), Object.fromEntries(set));
  // A completion that was forgotten while it is still looked for would be taken for a missed one, and pushed again.
  if (options.deliveryRetentionMs <= options.missedCompletionsMs) {
    throw new ConfigurationError('deliveryRetentionMs must be longer than missedCompletionsMs');
  }
  return Object.freeze(options);
}
