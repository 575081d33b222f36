import { Cancellation, type CancelSignal } from '../core/cancellation.js';
import type { Database } from '../persistence/database.js';
import { extendLeases, type LeaseHolder } from '../persistence/lease-keeping.js';
import { AttemptAbortedError } from './attempt-aborted.error.js';

/** So many times within its length a lease is extended: two heartbeats may fail before it is lost. */
const HEARTBEATS_PER_LEASE = 3;

/** Keeps the leases of the deliveries in flight while their uploads take longer than a lease. */
export class LeaseKeeper {
  readonly #session: Database;
  readonly #leaseMs: number;
  readonly #held = new Map<string, LeaseHolder & { readonly abort: Cancellation }>();
  #heartbeat: NodeJS.Timeout | null = null;
  #abortedFor: AttemptAbortedError | null = null;

  constructor(session: Database, leaseMs: number) {
    this.#session = session;
    this.#leaseMs = leaseMs;
  }

  start(): void {
    this.#heartbeat = setInterval(() => void this.#extend(), this.#leaseMs / HEARTBEATS_PER_LEASE);
  }

  stop(): void {
    if (this.#heartbeat) clearInterval(this.#heartbeat);
  }

  /** @returns a signal that is aborted when the lease is lost or everything must stop */
  hold({ id, leaseToken }: LeaseHolder): CancelSignal {
    const abort = new Cancellation();
    this.#held.set(leaseToken, { id, leaseToken, abort });
    if (this.#abortedFor) abort.abort(this.#abortedFor);
    return abort;
  }

  release({ leaseToken }: LeaseHolder): void {
    this.#held.delete(leaseToken);
  }

  /** All that are held, and what a claim that is under way brings later. */
  abortAll(reason: AttemptAbortedError): void {
    this.#abortedFor = reason;
    for (const { abort } of this.#held.values()) abort.abort(reason);
  }

  async #extend(): Promise<void> {
    const asked = [...this.#held.values()];
    if (asked.length === 0) return;
    try {
      const kept = await extendLeases(this.#session, asked, this.#leaseMs);
      for (const { leaseToken, abort } of asked) {
        // One that ended while the statement ran is not lost, but done.
        if (!kept.has(leaseToken) && this.#held.has(leaseToken)) abort.abort(new AttemptAbortedError('lease_lost'));
      }
    } catch {
      // The next heartbeat tries again; if none gets through, the lease runs out, and fencing refuses the late result.
    }
  }
}
