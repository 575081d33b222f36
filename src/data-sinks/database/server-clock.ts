import { Inject, Injectable, Optional } from '@nestjs/common';
import { NOW } from '../data-sinks.tokens.js';

/**
 * Estimates the database's time: its last answer plus the time since then on a monotonic clock. A worker with a wrong
 * clock still signs with the right time.
 */
@Injectable()
export class ServerClock {
  readonly #monotonicMs: () => number;
  #serverMs: number;
  #readAtMs: number;

  /** @param wallMs milliseconds since 1970, used until the database's time is known */
  constructor(@Inject(NOW) wallMs: () => number, @Optional() monotonicMs: () => number = () => performance.now()) {
    this.#monotonicMs = monotonicMs;
    this.#serverMs = wallMs();
    this.#readAtMs = monotonicMs();
  }

  /** Takes the time that the database has just returned. */
  set(time: Date): void {
    this.#serverMs = time.getTime();
    this.#readAtMs = this.#monotonicMs();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#serverMs + (this.#monotonicMs() - this.#readAtMs);
  }
}
