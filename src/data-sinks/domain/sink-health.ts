import type { AttemptErrorCode } from './attempt.js';

/** How far each count of a sink's health goes. */
export const HEALTH_BOUNDS = {
  consecutiveFailures: 1_000,
  lastHour: 10_000,
  last24Hours: 10_000,
  waiting: 100_000,
} as const;

export type BoundedCount = keyof typeof HEALTH_BOUNDS;
export const BOUNDED_COUNTS = Object.keys(HEALTH_BOUNDS) as readonly BoundedCount[];

/** Attempts in a period. Attempts that failed on our side or on a closed connection are not counted. */
export interface HealthWindow {
  readonly attempts: number;
  readonly succeeded: number;
  /** From 0 to 1; null without attempts. */
  readonly successRate: number | null;
  /** Of a whole attempt, in milliseconds; null without attempts. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface LastError {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly at: Date;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  /** Of the body that was sent. */
  readonly bytes: number;
}

/** The counts that have come to their bounds: there may be more than they say. */
export function boundedCounts(health: SinkHealth): readonly BoundedCount[] {
  const { consecutiveFailures, lastHour, last24Hours, waiting } = health;
  const counts = { consecutiveFailures, lastHour: lastHour.attempts, last24Hours: last24Hours.attempts, waiting };
  return BOUNDED_COUNTS.filter((name) => counts[name] >= HEALTH_BOUNDS[name]);
}

export interface SinkHealth {
  /** Attempts since the last success, at most 1,000. */
  readonly consecutiveFailures: number;
  readonly lastHour: HealthWindow;
  readonly last24Hours: HealthWindow;
  /** Among the last 1,000 attempts. */
  readonly lastError: LastError | null;
  /** Waiting deliveries, at most 100,000. */
  readonly waiting: number;
  /** How long the oldest waiting delivery has been due; null when none is due. */
  readonly oldestDueMs: number | null;
}
