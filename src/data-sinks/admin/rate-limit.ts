import { ProblemError } from '../core/errors.js';

const WINDOW_MS = 60_000;

/** So many uses a minute per key, in this process. */
export class RateLimit {
  readonly #uses = new Map<string, number[]>();

  /** @param nowMs a clock that does not step back */
  constructor(
    private readonly perMinute: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Counts one use. @throws ProblemError `rate-limited` when the key has used up its minute */
  use(key: string, what: string): void {
    const now = this.nowMs();
    this.#forget(now);
    const uses = this.#uses.get(key) ?? [];
    const [oldest] = uses;
    if (oldest !== undefined && uses.length >= this.perMinute) {
      const retryAfterSeconds = Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
      throw new ProblemError('rate-limited', `${what} is limited to ${this.perMinute} a minute. Wait a little.`, {
        retryAfterSeconds,
      });
    }
    this.#uses.set(key, [...uses, now]);
  }

  #forget(now: number): void {
    for (const [key, uses] of this.#uses) {
      const recent = uses.filter((at) => now - at < WINDOW_MS);
      if (recent.length === 0) this.#uses.delete(key);
      else if (recent.length < uses.length) this.#uses.set(key, recent);
    }
  }
}
