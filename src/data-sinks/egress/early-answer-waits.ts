/** Endpoints that are remembered; those that took a body longest ago are forgotten first. */
const REMEMBERED = 10_000;

const LEAST_MS = 250;

/** Round trips that an answer may take; connecting took one. */
const ROUND_TRIPS = 3;

/**
 * How long a large body waits for an early answer. An endpoint that refuses before reading is spared the upload, and so are
 * we. One that took the last large body it was sent is not suspected of that: its next one leaves at once, until it
 * refuses one or breaks off. Its answer would be seen all the same, only later (`read-on.ts`).
 */
export class EarlyAnswerWaits {
  readonly #took = new Set<string>();

  /** @param fixedMs the wait at an endpoint that is not known to take large bodies; null goes by the connect time */
  constructor(private readonly fixedMs: number | null) {}

  /** @param connectMs null when the connection was there already. @returns milliseconds; 0 does not wait */
  before(endpoint: string, connectMs: number | null): number {
    if (this.#took.has(endpoint)) return 0;
    return this.fixedMs ?? Math.max(LEAST_MS, ROUND_TRIPS * (connectMs ?? 0));
  }

  /** @param took the body was sent to its end and answered with 2xx */
  after(endpoint: string, took: boolean): void {
    this.#took.delete(endpoint);
    if (!took) return;
    this.#took.add(endpoint);
    for (const oldest of this.#took) {
      if (this.#took.size <= REMEMBERED) break;
      this.#took.delete(oldest);
    }
  }
}
