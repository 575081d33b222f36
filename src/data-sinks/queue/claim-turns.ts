import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import { type Claim, claimDeliveries, type ClaimLimits, type ClaimPosition } from './claim-deliveries.js';
import type { Database } from '../database/database.js';
import { releaseDeliveries } from './lease.sql.js';
import { within } from '../tools/within.js';

/** The result of a claim. */
export interface Turn {
  readonly deliveries: readonly ClaimedDelivery[];
  /**
   * - `now`: more may be due that can be sent at once
   * - `room`: more is due, and can be sent when some attempts in flight have ended
   * - `none`: everything due has been claimed
   */
  readonly more: 'now' | 'room' | 'none';
  /** See `Claim`. */
  readonly pacedMs: number | null;
  readonly answeredAt: Date;
}

/** Claims from sink to sink, and detects when a whole round has found nothing more. */
export class ClaimTurns {
  readonly #database: Database;
  #lastSink = '';
  /** The sink where something was last found: when a round passes it again, nothing is left. */
  #origin = '';
  #capped = false;
  readonly #fullWorkspaces = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Before a series of claims: workspaces at their limit may have capacity again. */
  begin(): void {
    this.#origin = this.#lastSink;
    this.#capped = false;
    this.#fullWorkspaces.clear();
  }

  /** @throws when the database fails; NoAnswerError when it does not answer within a lease */
  async next(limits: ClaimLimits): Promise<Turn> {
    const before = this.#lastSink;
    const position = { after: before, fullWorkspaces: [...this.#fullWorkspaces] };
    const claim = await this.#claim(limits, position);
    const { deliveries, lastSink, exhausted, pacedMs, answeredAt } = claim;
    this.#lastSink = lastSink;
    this.#capped ||= claim.capped;
    for (const workspace of claim.fullWorkspaces) this.#fullWorkspaces.add(workspace);
    const cameRound = deliveries.length === 0 && passes(this.#origin, before, lastSink);
    if (deliveries.length > 0) this.#origin = lastSink;
    // A sink at its limit must not cost the others their turns: wait for it only after a whole round.
    if (!exhausted && !cameRound) return { deliveries, more: 'now', pacedMs, answeredAt };
    return { deliveries, more: this.#capped ? 'room' : 'none', pacedMs, answeredAt };
  }

  /** Waits as long as a lease. The next claim then uses another connection, since this one may be dead. */
  async #claim(limits: ClaimLimits, position: ClaimPosition): Promise<Claim> {
    const claim = claimDeliveries(this.#database, limits, position);
    try {
      return await within(claim, limits.leaseMs, 'the database');
    } catch (error) {
      // Release what a late claim returns at once: otherwise its leases would expire and count as crashes.
      claim.then(({ deliveries }) => this.#giveBack(deliveries)).catch(() => undefined);
      throw error;
    }
  }

  async #giveBack(deliveries: readonly ClaimedDelivery[]): Promise<void> {
    const releases = deliveries.map(({ id, leaseToken }) => ({ id, leaseToken, waitMs: 0, ownFailure: false }));
    if (releases.length > 0) await releaseDeliveries(this.#database, releases);
  }
}

/** Whether a third sink lies on the way from one to the other in the (circular) round. */
function passes(sink: string, from: string, to: string): boolean {
  return from < to ? from < sink && sink <= to : from < sink || sink <= to;
}
