import type { Meter, ObservableResult } from '@opentelemetry/api';
import { metricOptions, type MetricName } from './metrics.js';
import { OWN_FAILURE_KINDS, type OwnFailureKind } from './own-failure-kind.js';

/** What the database tells of all processes. */
export interface QueueState {
  readonly waiting: number;
  readonly inFlight: number;
  readonly lateMs: number;
  readonly heldBackMs: Readonly<Record<string, number>>;
  /** That are alive. */
  readonly workers: number;
}

/** How this process stands to what it needs. */
export interface Standing {
  readonly databaseUp: boolean;
  /** Null where none is used. */
  readonly redisUp: boolean | null;
  /** One kind for each part of our own side that is away now. */
  readonly away: readonly OwnFailureKind[];
}

export interface GaugeSources {
  readonly queue: () => Promise<QueueState>;
  /** Never rejects. */
  readonly standing: () => Promise<Standing>;
  /** A clock that does not go back. */
  readonly nowMs: () => number;
}

/** The queue is asked at most so often, however many collect. */
const QUEUE_EVERY_MS = 15_000;

type Show<T> = (result: ObservableResult, state: T) => void;

/**
 * Shows gauges to each metric reader. One that is not known any more is shown as not a number: an SDK that is told nothing
 * goes on showing the last value, and an alert goes on believing it.
 * @returns a function that ends them
 */
export function watchGauges(meter: Meter, { queue, standing, nowMs }: GaugeSources): () => void {
  let last: Promise<QueueState> | null = null;
  let readAtMs = 0;
  const state = (): Promise<QueueState> => {
    if (last && nowMs() - readAtMs < QUEUE_EVERY_MS) return last;
    readAtMs = nowMs();
    const asked = queue().catch(() => {
      // The next who collects asks again.
      if (last === asked) last = null;
      return UNKNOWN;
    });
    return (last = asked);
  };
  const gauge = <T>(name: MetricName, read: () => Promise<T>, show: Show<T>): (() => void) => {
    const instrument = meter.createObservableGauge(name, metricOptions(name));
    const callback = async (result: ObservableResult): Promise<void> => show(result, await read());
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  };
  const stops = [
    gauge('data_sinks.queue.depth', state, (result, { waiting, inFlight }) => {
      result.observe(waiting, { state: 'waiting' });
      result.observe(inFlight, { state: 'in_flight' });
    }),
    gauge('data_sinks.queue.lateness_seconds', state, (result, { lateMs }) => result.observe(lateMs / 1_000)),
    gauge('data_sinks.queue.held_back_age_seconds', state, (result, { heldBackMs }) => {
      for (const [by, ms] of Object.entries(heldBackMs)) result.observe(ms / 1_000, { by });
    }),
    gauge('data_sinks.workers', state, (result, { workers }) => result.observe(workers)),
    gauge('data_sinks.database.up', standing, (result, { databaseUp }) => result.observe(Number(databaseUp))),
    gauge('data_sinks.redis.up', standing, (result, { redisUp }) => {
      if (redisUp !== null) result.observe(Number(redisUp));
    }),
    gauge('data_sinks.outages', standing, (result, { away }) => {
      for (const kind of OWN_FAILURE_KINDS) result.observe(away.filter((one) => one === kind).length, { kind });
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

const UNKNOWN: QueueState = {
  ...{ waiting: Number.NaN, inFlight: Number.NaN, lateMs: Number.NaN, workers: Number.NaN },
  heldBackMs: { disabled: Number.NaN, circuit: Number.NaN, pace: Number.NaN, cap: Number.NaN },
};
