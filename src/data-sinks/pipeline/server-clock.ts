/**
 * The database's time, as this process can best tell it: its last answer, and what has gone by since on a clock that
 * cannot be set. A worker whose own clock is wrong still signs with the right time.
 */
export class ServerClock {
  readonly #monotonicMs: () => number;
  #serverMs: number;
  #readAtMs: number;

  /** @param wallMs milliseconds since 1970, used until the database has said the time */
  constructor(wallMs: () => number, monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
    this.#serverMs = wallMs();
    this.#readAtMs = monotonicMs();
  }

  /** Takes a time that the database has just told. */
  set(time: Date): void {
    this.#serverMs = time.getTime();
    this.#readAtMs = this.#monotonicMs();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#serverMs + (this.#monotonicMs() - this.#readAtMs);
  }
}
