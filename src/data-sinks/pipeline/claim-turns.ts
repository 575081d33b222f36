import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { claimDeliveries, type ClaimLimits } from '../persistence/claim-deliveries.js';
import type { Database } from '../persistence/database.js';

/** What a claim brought. */
export interface Turn {
  readonly deliveries: readonly ClaimedDelivery[];
  /**
   * - `now`: more may be due that could go at once
   * - `room`: more may be due, and could go when some of what is in flight has ended
   * - `none`: all that is due has been taken
   */
  readonly more: 'now' | 'room' | 'none';
  /** See `Claim`. */
  readonly pacedMs: number | null;
}

/** Goes round the sinks, claim by claim, and knows when a whole round has found nothing more. */
export class ClaimTurns {
  readonly #database: Database;
  #lastSink = '';
  /** How often it has come round since something was found last. */
  #emptyRounds = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async next(limits: ClaimLimits): Promise<Turn> {
    const { deliveries, lastSink, exhausted, capped, pacedMs } = await claimDeliveries(
      this.#database,
      limits,
      this.#lastSink,
    );
    const cameRound = lastSink <= this.#lastSink;
    this.#lastSink = lastSink;
    if (deliveries.length > 0) this.#emptyRounds = 0;
    else if (cameRound) this.#emptyRounds += 1;
    return { deliveries, more: this.#more(limits, deliveries.length, exhausted, capped), pacedMs };
  }

  #more({ batch }: ClaimLimits, taken: number, exhausted: boolean, capped: boolean): Turn['more'] {
    // Claims of a few cost nearly as much as claims of many: where caps are in the way, it waits for them.
    if (capped && taken < batch / 2) return 'room';
    // One round may have begun in its middle, before what it would have found was due.
    if (!exhausted && this.#emptyRounds < 2) return 'now';
    this.#emptyRounds = 0;
    return capped ? 'room' : 'none';
  }
}
