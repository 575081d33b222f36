import { Cancellation, type CancelSignal } from '../tools/cancellation.js';
import type { Database } from '../database/database.js';
import { extendLeases, type LeaseHolder } from './lease.sql.js';
import { AttemptAbortedError } from './attempt-aborted.error.js';

/** Extensions per lease: two heartbeats may fail before the lease is lost. */
const HEARTBEATS_PER_LEASE = 3;

type LeaseOfSink = LeaseHolder & { readonly dataSourceId: string };

/** Extends the leases of deliveries in flight, since an upload may take longer than a lease. */
export class LeaseKeeper {
  readonly #session: Database;
  readonly #leaseMs: number;
  readonly #held = new Map<string, LeaseOfSink & { readonly abort: Cancellation }>();
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
  hold({ id, leaseToken, dataSourceId }: LeaseOfSink): CancelSignal {
    const abort = new Cancellation();
    this.#held.set(leaseToken, { id, leaseToken, dataSourceId, abort });
    if (this.#abortedFor) abort.abort(this.#abortedFor);
    return abort;
  }

  release({ leaseToken }: LeaseHolder): void {
    this.#held.delete(leaseToken);
  }

  /** Number of deliveries of a sink that this process has in flight. */
  heldOf(dataSourceId: string): number {
    let count = 0;
    for (const held of this.#held.values()) if (held.dataSourceId === dataSourceId) count++;
    return count;
  }

  /** All held leases, and what a claim in progress returns later. */
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
        // A delivery that ended while the statement ran is done, not lost.
        if (!kept.has(leaseToken) && this.#held.has(leaseToken)) abort.abort(new AttemptAbortedError('lease_lost'));
      }
    } catch {
      // The next heartbeat retries. If all fail, the lease expires, and the fencing token makes the late result void.
    }
  }
}
