import { randomBytes } from 'node:crypto';
import {
  type Counter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type ObservableResult,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { AttemptStatus, AttemptTimings } from '../core/attempt.js';
import { DISABLED_REASONS, type DisabledReason } from '../core/data-sink.js';
import type { TraceContext } from '../core/trace-context.js';
import { beginExchangeSpan, type ExchangeSpan, type ExchangeSpanName } from './exchange-span.js';
import { METRICS, type MetricName } from './metrics.js';

/** Where measurements go. Left out, to the SDK that the process registered, or nowhere. */
export interface TelemetryProviders {
  readonly meterProvider?: MeterProvider | undefined;
  readonly tracerProvider?: TracerProvider | undefined;
}

/** An attempt as the metrics count it. */
export interface MeasuredAttempt {
  readonly status: AttemptStatus;
  readonly timings: AttemptTimings;
}

export interface QueueState {
  readonly waiting: number;
  readonly inFlight: number;
  readonly oldestDueAgeMs: number;
}

const SCOPE = 'nestjs-data-sinks';
const OUTCOMES = ['delivered', 'failed', 'cancelled'] as const;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const CLAIMS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** The queue is asked at most so often, however many collect. */
const QUEUE_EVERY_MS = 15_000;

/** The module's metrics and spans. Instruments are made once; without an SDK each call is an empty function's. */
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

  constructor(version: string, { meterProvider = metrics, tracerProvider = trace }: TelemetryProviders = {}) {
    this.#meter = meterProvider.getMeter(SCOPE, version);
    this.#tracer = tracerProvider.getTracer(SCOPE, version);
    this.#deliveries = this.#counter('data_sinks.deliveries');
    this.#attempts = this.#counter('data_sinks.attempts');
    this.#phases = this.#histogram('data_sinks.attempt.phase.duration_seconds', SECONDS);
    this.#claims = this.#histogram('data_sinks.claim.size', CLAIMS);
    this.#leases = this.#counter('data_sinks.lease.expired');
    this.#built = this.#counter('data_sinks.payload.built_bytes');
    this.#cache = this.#counter('data_sinks.payload.cache');
    this.#disabled = this.#counter('data_sinks.sinks.disabled');
    this.#beginAtZero();
  }

  ended(outcome: (typeof OUTCOMES)[number], count = 1): void {
    this.#deliveries.add(count, { outcome });
  }

  attempted({ status, timings }: MeasuredAttempt): void {
    this.#attempts.add(1, { status });
    const { dnsMs: dns, connectMs: connect, tlsMs: tls, uploadMs: upload, waitMs: wait, totalMs: total } = timings;
    for (const [phase, ms] of Object.entries({ dns, connect, tls, upload, wait, total })) {
      if (ms !== null) this.#phases.record(ms / 1_000, { phase });
    }
  }

  /** Begins the span of a request that is about to leave. @param parent the trace that it goes on with, if any */
  exchange(name: ExchangeSpanName, parent: TraceContext | null, startedAt: Date): ExchangeSpan {
    return beginExchangeSpan(this.#tracer, name, parent, startedAt, () => randomBytes(8).toString('hex'));
  }

  claimed(count: number): void {
    this.#claims.record(count);
  }

  leaseExpired(): void {
    this.#leases.add(1);
  }

  built(bytes: number): void {
    this.#built.add(bytes);
  }

  lookedUp(result: 'hit' | 'miss'): void {
    this.#cache.add(1, { result });
  }

  sinkDisabled(reason: DisabledReason): void {
    this.#disabled.add(1, { reason });
  }

  /**
   * Shows the queue's state to whoever collects.
   * @param nowMs a clock that does not go back
   * @returns a function that ends it
   */
  watchQueue(read: () => Promise<QueueState>, nowMs: () => number): () => void {
    let last: Promise<QueueState | null> | null = null;
    let readAtMs = 0;
    const state = (): Promise<QueueState | null> => {
      if (last && nowMs() - readAtMs < QUEUE_EVERY_MS) return last;
      readAtMs = nowMs();
      // A database that is away is told by its own checks; here there is just nothing to show.
      return (last = read().catch(() => null));
    };
    const depth = this.#gauge(
      'data_sinks.queue.depth',
      (result, { waiting, inFlight }) => {
        result.observe(waiting, { state: 'waiting' });
        result.observe(inFlight, { state: 'in_flight' });
      },
      state,
    );
    const age = this.#gauge(
      'data_sinks.queue.oldest_due_age_seconds',
      (result, { oldestDueAgeMs }) => {
        result.observe(oldestDueAgeMs / 1_000);
      },
      state,
    );
    return () => {
      depth();
      age();
    };
  }

  #gauge(
    name: MetricName,
    show: (result: ObservableResult, state: QueueState) => void,
    state: () => Promise<QueueState | null>,
  ): () => void {
    const gauge = this.#meter.createObservableGauge(name, optionsOf(name));
    const callback = async (result: ObservableResult): Promise<void> => {
      const current = await state();
      if (current) show(result, current);
    };
    gauge.addCallback(callback);
    return () => gauge.removeCallback(callback);
  }

  /** A counter that is not there until the first failure makes no alert: its first rise would go unseen. */
  #beginAtZero(): void {
    for (const outcome of OUTCOMES) this.#deliveries.add(0, { outcome });
    for (const result of ['hit', 'miss']) this.#cache.add(0, { result });
    for (const reason of DISABLED_REASONS) this.#disabled.add(0, { reason });
    this.#leases.add(0);
    this.#built.add(0);
  }

  #counter(name: MetricName): Counter {
    return this.#meter.createCounter(name, optionsOf(name));
  }

  #histogram(name: MetricName, explicitBucketBoundaries: number[]): Histogram {
    return this.#meter.createHistogram(name, { ...optionsOf(name), advice: { explicitBucketBoundaries } });
  }
}

function optionsOf(name: MetricName): { readonly unit?: string; readonly description: string } {
  const [, unit, description] = METRICS[name];
  return { description, ...(unit !== '' && { unit }) };
}
