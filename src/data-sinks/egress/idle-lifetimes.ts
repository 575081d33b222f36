import { LRUCache } from 'lru-cache';

/** Maximum number of origins to remember; the least recently updated is dropped first. */
const REMEMBERED = 10_000;

/** Subtracted from an announced timeout: a request in transit when the receiver closes is lost. */
const MARGIN_MS = 1_000;

/** Fraction of an observed lifetime that is used: we do not know when the receiver's timer starts. */
const TRUSTED_PART = 0.5;

/** Connections with a shorter lifetime are not reused: a round trip may take as long. */
const SHORTEST_MS = 500;

/**
 * How long an idle connection to an origin may be reused. Receivers close idle connections after every response, after
 * 2 s (gunicorn), 5 s (Node, Apache) or a minute (load balancers), and most do not announce it. Announced timeouts are
 * respected; others are learned from observation.
 */
export class IdleLifetimes {
  /** Observed lifetime of an idle connection by origin, in milliseconds. */
  readonly #seen = new LRUCache<string, number>({ max: REMEMBERED });

  /** @param keepAliveMs upper limit for any connection */
  constructor(readonly keepAliveMs: number) {}

  /** @param announcedMs timeout announced by the last response, or null. @returns milliseconds; 0 means do not reuse */
  usableMs(origin: string, announcedMs: number | null): number {
    const announced = announcedMs === null ? this.keepAliveMs : Math.max(announcedMs - MARGIN_MS, 0);
    const seen = this.#seen.get(origin);
    const learned = seen === undefined ? this.keepAliveMs : seen < SHORTEST_MS ? 0 : seen * TRUSTED_PART;
    return Math.min(this.keepAliveMs, announced, learned);
  }

  /**
   * Records that the receiver closed a connection after this idle time. A shorter time applies at once, a longer one
   * gradually.
   */
  closedAfter(origin: string, idleMs: number): void {
    const seen = this.#seen.get(origin);
    this.#seen.set(origin, seen === undefined || idleMs < seen ? idleMs : (seen + idleMs) / 2);
  }

  /** Records that a connection was idle for the maximum time and the receiver had not closed it. */
  outlived(origin: string): void {
    this.#seen.delete(origin);
  }
}

/** Parses `Keep-Alive: timeout=…` (RFC 2068, 19.7.1.1). @returns milliseconds, or null */
export function announcedIdleMs(headers: readonly (readonly [name: string, value: string])[]): number | null {
  const announced = headers
    .filter(([name]) => name.toLowerCase() === 'keep-alive')
    .map(([, value]) => /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(value)?.[1])
    .flatMap((seconds) => (seconds === undefined ? [] : [Number(seconds) * 1_000]));
  return announced.length === 0 ? null : Math.min(...announced);
}
