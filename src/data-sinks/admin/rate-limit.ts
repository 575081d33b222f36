import { ProblemError } from '../core/errors.js';

const WINDOW_MS = 60_000;

/** Keys remembered at most. Beyond it the one not used for longest is forgotten: it may begin its minute anew. */
export const MAX_LIMITED_KEYS = 10_000;

/**
 * So many uses a minute per key, in this process. Costs the same for one key as for ten thousand, and keeps no more than
 * the uses of the last minute.
 */
export class RateLimit {
  /** Times of the uses, oldest first; the keys in the order of their last use. */
  readonly #uses = new Map<string, number[]>();

  /** @param nowMs a clock that does not step back */
  constructor(
    private readonly perMinute: number,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly maxKeys = MAX_LIMITED_KEYS,
  ) {}

  /** Keys remembered now. */
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
      const retryAfterSeconds = Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
      throw new ProblemError('rate-limited', `${what} is limited to ${this.perMinute} a minute. Wait a little.`, {
        retryAfterSeconds,
      });
    }
    uses.push(now);
    this.#uses.delete(key);
    this.#uses.set(key, uses);
    this.#forget(now);
  }

  /** Those that were not used for a minute come first; what is not yet over ends the search. */
  #forget(now: number): void {
    for (const [key, uses] of this.#uses) {
      if (this.#uses.size <= this.maxKeys && !isOver(uses.at(-1), now)) return;
      this.#uses.delete(key);
    }
  }
}

function isOver(usedAt: number | undefined, now: number): boolean {
  return usedAt !== undefined && now - usedAt >= WINDOW_MS;
}
