import type { Attempt } from '../api/types.js';

export interface Span {
  readonly name: string;
  readonly ms: number;
  readonly buckets: number;
}

export const SPANS = {
  day: { name: '24 hours', ms: 86_400_000, buckets: 24 },
  week: { name: '7 days', ms: 7 * 86_400_000, buckets: 28 },
} as const satisfies Readonly<Record<string, Span>>;

export type SpanName = keyof typeof SPANS;

export interface Bucket {
  readonly fromMs: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Median duration of the successful attempts; null without one. */
  readonly medianMs: number | null;
}

export interface Summary {
  readonly buckets: readonly Bucket[];
  readonly succeeded: number;
  readonly failed: number;
  readonly medianMs: number | null;
  /** 90th percentile. */
  readonly p90Ms: number | null;
}

/** Groups the finished attempts of a period that ends now, without those that only found a closed connection. */
export function summarise(attempts: readonly Attempt[], span: Span, nowMs: number): Summary {
  const width = span.ms / span.buckets;
  const startMs = nowMs - span.ms;
  const ended = attempts.filter((attempt) => hasEnded(attempt) && Date.parse(attempt.startedAt) >= startMs);
  const groups = Array.from({ length: span.buckets }, (): Attempt[] => []);
  for (const attempt of ended) {
    const index = Math.floor((Date.parse(attempt.startedAt) - startMs) / width);
    groups[Math.min(index, span.buckets - 1)]?.push(attempt);
  }
  const times = timesOf(ended);
  return {
    buckets: groups.map((group, index) => ({
      fromMs: startMs + index * width,
      succeeded: group.filter(isSuccess).length,
      failed: group.filter((attempt) => !isSuccess(attempt)).length,
      medianMs: quantile(timesOf(group), 0.5),
    })),
    succeeded: ended.filter(isSuccess).length,
    failed: ended.filter((attempt) => !isSuccess(attempt)).length,
    medianMs: quantile(times, 0.5),
    p90Ms: quantile(times, 0.9),
  };
}

function hasEnded({ status, errorCode }: Attempt): boolean {
  return status !== 'IN_FLIGHT' && errorCode !== 'stale_connection';
}

function isSuccess({ status }: Attempt): boolean {
  return status === 'SUCCEEDED';
}

/** Ascending. */
function timesOf(attempts: readonly Attempt[]): readonly number[] {
  return attempts
    .filter(isSuccess)
    .flatMap(({ timings }) => (timings ? [timings.totalMs] : []))
    .sort((a, b) => a - b);
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
