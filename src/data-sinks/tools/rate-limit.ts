import { ProblemError } from '../domain/errors.js';

const WINDOW_MS = 60_000;

/** Maximum number of keys; beyond it the least recently used is dropped and starts anew. */
export const MAX_LIMITED_KEYS = 10_000;

/**
 * Sliding-window limit of uses per minute and key, within this process. Cost does not depend on the number of keys;
 * memory holds only the uses of the last minute.
 */
export class RateLimit {
  /** Timestamps of uses, oldest first; keys ordered by last use. */
  readonly #uses = new Map<string, number[]>();

  /** @param nowMs a monotonic clock */
  constructor(
    private readonly perMinute: number,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly maxKeys = MAX_LIMITED_KEYS,
  ) {}

  /** Current number of keys. */
  get size(): number {
    return this.#uses.size;
  }

  /** Counts one use. @throws ProblemError `rate-limited` when the key has used up its minute */
  use(key: string, what: string): void {
    const now = this.nowMs();
    const uses = this.#uses.get(key) ?? [];
    while (isOver(uses[0], now)) uses.shift();
    const [oldest] = uses;
    if (oldest !== undefined && uses.length >= this.perMinute) {
      throw rateLimited(what, this.perMinute, (oldest + WINDOW_MS - now) / 1000);
    }
    uses.push(now);
    this.#uses.delete(key);
    this.#uses.set(key, uses);
    this.#forget(now);
  }

  /** Keys unused for a minute come first; the scan stops at the first other key. */
  #forget(now: number): void {
    for (const [key, uses] of this.#uses) {
      if (this.#uses.size <= this.maxKeys && !isOver(uses.at(-1), now)) return;
      this.#uses.delete(key);
    }
  }
}

/** @param overInS seconds until the oldest use of the minute no longer counts */
export function rateLimited(what: string, perMinute: number, overInS: number): ProblemError {
  return new ProblemError('rate-limited', `${what} is limited to ${perMinute} a minute. Try again later.`, {
    retryAfterSeconds: Math.max(1, Math.ceil(overInS)),
  });
}

function isOver(usedAt: number | undefined, now: number): boolean {
  return usedAt !== undefined && now - usedAt >= WINDOW_MS;
}
