/** Waits before the first, second and third retry; the last also applies to every later retry (contract, section 7). */
export const DEFAULT_RETRY_WAITS_MS: readonly number[] = [5_000, 30_000, 300_000];

/** Upper limit for `Retry-After` (contract, section 7). */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Jitter lengthens a wait by at most this fraction and never shortens it (contract, section 7). */
export const MAX_JITTER_SHARE = 0.1;

/**
 * Milliseconds to wait before a retry.
 * @param retryNumber from 1
 * @param random in [0, 1): spreads the retries of deliveries that failed at the same time
 * @param retryAfterMs the receiver's request; lengthens the wait, never shortens it
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
  // Rounded down, so that jitter cannot exceed its fraction.
  const jittered = wait + Math.floor(wait * MAX_JITTER_SHARE * random);
  // The hour is the limit including jitter.
  return asked > planned ? Math.min(jittered, MAX_RETRY_AFTER_MS) : jittered;
}

/**
 * Parses a `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3). A malformed header is ignored.
 * @param nowMs milliseconds since 1970, for the date form
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim();
  if (!text) return null;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  const at = httpDateMs(text, nowMs);
  return Number.isNaN(at) ? null : Math.min(Math.max(at - nowMs, 0), MAX_RETRY_AFTER_MS);
}

const RFC_850 = /^[A-Z][a-z]+day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/;

/** The three forms that a recipient must read (RFC 9110, 5.6.7). A year of two digits is at most 50 years ahead. */
function httpDateMs(text: string, nowMs: number): number {
  if (/^[A-Z][a-z]{2},/.test(text)) return Date.parse(text);
  const [, day, month, shortYear, time] = RFC_850.exec(text) ?? [];
  if (shortYear !== undefined) {
    const thisYear = new Date(nowMs).getUTCFullYear();
    const year = thisYear - (thisYear % 100) + Number(shortYear);
    return Date.parse(`${day} ${month} ${year > thisYear + 50 ? year - 100 : year} ${time} GMT`);
  }
  const [, ascMonth, ascDay = '', ascTime, ascYear] = ASCTIME.exec(text) ?? [];
  return ascYear === undefined ? Number.NaN : Date.parse(`${ascDay.trim()} ${ascMonth} ${ascYear} ${ascTime} GMT`);
}
