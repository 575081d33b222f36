import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  type Counter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { OPTIONS } from '../data-sinks.tokens.js';
import { ATTEMPT_STATUSES, type AttemptErrorCode, type AttemptStatus, type AttemptTimings } from '../domain/attempt.js';
import { DISABLED_REASONS, type DisabledReason } from '../domain/data-sink.js';
import { VERSION } from '../domain/version.js';
import type { TraceContext } from '../domain/trace-context.js';
import { beginExchangeSpan, type ExchangeSpan, type ExchangeSpanName } from './exchange-span.js';
import { type GaugeSources, watchGauges } from './gauges.js';
import { metricOptions, type MetricName } from './metrics.js';
import { OWN_FAILURE_KINDS, type OwnFailureKind } from './own-failure-kind.js';

/** Where metrics go. @default the SDK that the process registered, if any */
export interface TelemetryProviders {
  readonly meterProvider?: MeterProvider | undefined;
  readonly tracerProvider?: TracerProvider | undefined;
}

/** An attempt as counted by the metrics. */
export interface MeasuredAttempt {
  readonly status: AttemptStatus;
  /** Null when it succeeded. */
  readonly errorCode: AttemptErrorCode | null;
  readonly timings: AttemptTimings;
}

const SCOPE = 'nestjs-data-sinks';
const OUTCOMES = ['delivered', 'failed', 'cancelled'] as const;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CLAIMS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** The module's metrics and spans. Instruments are created once; without an SDK each call is a no-op. */
@Injectable()
export class Telemetry {
  readonly #meter: Meter;
  readonly #tracer: Tracer;
  readonly #deliveries: Counter;
  readonly #attempts: Counter;
  readonly #phases: Histogram;
  readonly #claims: Histogram;
  readonly #leases: Counter;
  readonly #built: Counter;
  readonly #cache: Counter;
  readonly #disabled: Counter;
  readonly #ownFailures: Counter;

  constructor(@Inject(OPTIONS) { meterProvider = metrics, tracerProvider = trace }: TelemetryProviders = {}) {
    this.#meter = meterProvider.getMeter(SCOPE, VERSION);
    this.#tracer = tracerProvider.getTracer(SCOPE, VERSION);
    this.#deliveries = this.#counter('data_sinks.deliveries');
    this.#attempts = this.#counter('data_sinks.attempts');
    this.#phases = this.#histogram('data_sinks.attempt.phase.duration_seconds', SECONDS);
    this.#claims = this.#histogram('data_sinks.claim.size', CLAIMS);
    this.#leases = this.#counter('data_sinks.lease.expired');
    this.#built = this.#counter('data_sinks.payload.built_bytes');
    this.#cache = this.#counter('data_sinks.payload.cache');
    this.#disabled = this.#counter('data_sinks.sinks.disabled');
    this.#ownFailures = this.#counter('data_sinks.own_failures');
  }

  /** @param type of the sink; null where its row is gone */
  ended(outcome: (typeof OUTCOMES)[number], type: string | null): void {
    this.#deliveries.add(1, { outcome, ...(type !== null && { type }) });
  }

  /** @param type of the sink; null where its row is gone */
  attempted({ status, errorCode, timings }: MeasuredAttempt, type: string | null): void {
    const ofType = type === null ? {} : { type };
    this.#attempts.add(1, { status, ...ofType, ...(errorCode && { error_code: errorCode }) });
    const { dnsMs: dns, connectMs: connect, tlsMs: tls, uploadMs: upload, waitMs: wait, totalMs: total } = timings;
    for (const [phase, ms] of Object.entries({ dns, connect, tls, upload, wait, total })) {
      if (ms !== null) this.#phases.record(ms / 1_000, { phase, ...ofType });
    }
  }

  /** Starts the span of a request to be sent. @param parent the trace to continue, if any */
  exchange(name: ExchangeSpanName, parent: TraceContext | null, startedAt: Date): ExchangeSpan {
    return beginExchangeSpan(this.#tracer, name, parent, startedAt, () => randomBytes(8).toString('hex'));
  }

  claimed(count: number): void {
    this.#claims.record(count);
  }

  leasesExpired(count: number): void {
    this.#leases.add(count);
  }

  built(bytes: number): void {
    this.#built.add(bytes);
  }

  lookedUp(result: 'hit' | 'miss'): void {
    this.#cache.add(1, { result });
  }

  sinkDisabled(reason: DisabledReason, type: string): void {
    this.#disabled.add(1, { reason, type });
  }

  ownFailure(kind: OwnFailureKind, count = 1): void {
    this.#ownFailures.add(count, { kind });
  }

  /** Shows gauges to each metric reader. @returns a function that ends them */
  watch(sources: GaugeSources): () => void {
    return watchGauges(this.#meter, sources);
  }

  /**
   * Initialises counters to 0: a counter that appears with its first failure triggers no alert on its increase.
   * @param types of sinks that this host offers
   */
  beginAtZero(types: readonly string[]): void {
    for (const type of types) {
      for (const outcome of OUTCOMES) this.#deliveries.add(0, { outcome, type });
      for (const status of ATTEMPT_STATUSES) if (status !== 'IN_FLIGHT') this.#attempts.add(0, { status, type });
      for (const reason of DISABLED_REASONS) this.#disabled.add(0, { reason, type });
    }
    for (const result of ['hit', 'miss']) this.#cache.add(0, { result });
    for (const kind of OWN_FAILURE_KINDS) this.#ownFailures.add(0, { kind });
    this.#leases.add(0);
    this.#built.add(0);
  }

  #counter(name: MetricName): Counter {
    return this.#meter.createCounter(name, metricOptions(name));
  }

  #histogram(name: MetricName, explicitBucketBoundaries: number[]): Histogram {
    return this.#meter.createHistogram(name, { ...metricOptions(name), advice: { explicitBucketBoundaries } });
  }
}
