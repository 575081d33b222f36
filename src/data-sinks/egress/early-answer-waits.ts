import { LRUCache } from 'lru-cache';

/** Maximum number of endpoints to remember; the least recently successful is dropped first. */
const REMEMBERED = 10_000;

const LEAST_MS = 250;

/** The wait in round trips; a TCP connect took one. */
const ROUND_TRIPS = 3;

/**
 * How long to wait for an early response before sending a large body. A receiver that refuses on the headers alone
 * saves both sides the upload. If an endpoint accepted its last large body, the next is sent at once, until one is
 * refused or broken off. An early response would still be read then, only later (`read-after-write-error.ts`).
 */
export class EarlyAnswerWaits {
  readonly #took = new LRUCache<string, true>({ max: REMEMBERED });

  /** @param fixedMs the wait at an endpoint not known to accept large bodies; null derives it from the connect time */
  constructor(private readonly fixedMs: number | null) {}

  /** @param connectMs null for a reused connection. @returns milliseconds; 0 means no wait */
  before(endpoint: string, connectMs: number | null): number {
    if (this.#took.has(endpoint)) return 0;
    return this.fixedMs ?? Math.max(LEAST_MS, ROUND_TRIPS * (connectMs ?? 0));
  }

  /** @param took whether the whole body was sent and the response was 2xx */
  after(endpoint: string, took: boolean): void {
    if (took) this.#took.set(endpoint, true);
    else this.#took.delete(endpoint);
  }
}
