/** Waits before the first, second and third retry; the last one also before every later retry (contract, section 7). */
export const DEFAULT_RETRY_WAITS_MS: readonly number[] = [5_000, 30_000, 300_000];

/** `Retry-After` is honoured up to this (contract, section 7). */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Jitter lengthens a wait by at most this share, and never shortens it (contract, section 7). */
export const MAX_JITTER_SHARE = 0.1;

/**
 * Milliseconds to wait before a retry.
 * @param retryNumber from 1
 * @param random in [0, 1): spreads retries of many deliveries that failed together
 * @param retryAfterMs what the receiver asked for; lengthens the wait, never shortens it
 */
export function retryWaitMs(
  retryNumber: number,
  random: number,
  retryAfterMs: number | null = null,
  waitsMs: readonly number[] = DEFAULT_RETRY_WAITS_MS,
): number {
  const planned = waitsMs[Math.min(retryNumber, waitsMs.length) - 1] ?? 0;
  const asked = Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  const wait = Math.max(planned, asked);
  // Rounded down, so that rounding cannot lift the jitter over its share.
  const jittered = wait + Math.floor(wait * MAX_JITTER_SHARE * random);
  // An hour is the most that a receiver may ask for, jitter and all.
  return asked > planned ? Math.min(jittered, MAX_RETRY_AFTER_MS) : jittered;
}

/**
 * Reads a `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3). What cannot be read counts as absent.
 * @param nowMs milliseconds since 1970, for the date form
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim();
  if (!text) return null;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  const at = /^[A-Z][a-z]{2},/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.min(Math.max(at - nowMs, 0), MAX_RETRY_AFTER_MS);
}
