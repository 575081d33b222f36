import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import {
  type Claim,
  claimDeliveries,
  type ClaimLimits,
  type ClaimPosition,
  FROM_THE_START,
  type WorkspacePlace,
} from './claim-deliveries.js';
import { MOST_STEPS } from './claim.sql.js';
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

/**
 * Claims from workspace to workspace, and in each from sink to sink; detects when whole rounds have found nothing more.
 * Only the database compares workspaces, since its order depends on its collation.
 */
export class ClaimTurns {
  readonly #database: Database;
  #lastWorkspace = '';
  /** Where the round over the workspaces began. */
  #origin = '';
  #foundInRound = false;
  #patience = FROM_THE_START.patience;
  /** Counts the rounds over the workspaces. */
  #round = 0;
  /** Workspaces that have more sinks than were visited in their turns, in the order of their turns: the next one first. */
  readonly #places = new Map<string, WorkspacePlace & { readonly round: number }>();
  #capped = false;
  readonly #fullWorkspaces = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Before a series of claims: workspaces at their limit may have capacity again, and every sink something to send. */
  begin(): void {
    this.#beginRound();
    this.#patience = FROM_THE_START.patience;
    for (const [workspace, place] of this.#places) this.#places.set(workspace, { ...place, from: place.at });
    this.#capped = false;
    this.#fullWorkspaces.clear();
  }

  /** @throws when the database fails; NoAnswerError when it does not answer within a lease */
  async next(limits: ClaimLimits): Promise<Turn> {
    const claim = await this.#claim(limits, {
      ...{ after: this.#lastWorkspace, origin: this.#origin },
      ...{ places: this.#places, patience: this.#patience, fullWorkspaces: [...this.#fullWorkspaces] },
    });
    const { deliveries, exhausted, pacedMs, answeredAt } = claim;
    this.#capped ||= claim.capped;
    for (const workspace of claim.fullWorkspaces) this.#fullWorkspaces.add(workspace);
    const foundNothing = this.#advance(claim);
    // A sink at its limit must not cost the others their turns: wait for it only after a whole round.
    if (!exhausted && !foundNothing) return { deliveries, more: 'now', pacedMs, answeredAt };
    return { deliveries, more: this.#capped ? 'room' : 'none', pacedMs, answeredAt };
  }

  /** @returns whether every sink of every workspace was visited, and nothing found since the round began */
  #advance({ deliveries, cameRound, places }: Claim): boolean {
    this.#foundInRound ||= deliveries.length > 0;
    const given = new Set(deliveries.map(({ workspaceId }) => workspaceId));
    for (const [workspace, place] of places) {
      this.#lastWorkspace = workspace;
      this.#places.delete(workspace);
      if (!place) continue;
      // Any sink of a workspace that was given something may have more: its round begins anew.
      const from = given.has(workspace) ? place.at : place.from;
      this.#places.set(workspace, { at: place.at, from, round: this.#round });
    }
    if (!cameRound) return false;
    let visitedAll = true;
    for (const [workspace, { round }] of this.#places) {
      // A round that does not meet a workspace shows that nothing waits there.
      if (round < this.#round) this.#places.delete(workspace);
      else if (!this.#fullWorkspaces.has(workspace)) visitedAll = false;
    }
    const foundNothing = !this.#foundInRound;
    this.#beginRound();
    // Nobody else has anything to send now: look through the many sinks of some in fewer rounds.
    this.#patience = foundNothing ? Math.min(this.#patience * 2, MOST_STEPS) : FROM_THE_START.patience;
    return foundNothing && visitedAll;
  }

  #beginRound(): void {
    this.#round += 1;
    this.#origin = this.#lastWorkspace;
    this.#foundInRound = false;
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
