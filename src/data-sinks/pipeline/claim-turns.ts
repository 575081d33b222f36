import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { type Claim, claimDeliveries, type ClaimLimits, type ClaimPosition } from '../persistence/claim-deliveries.js';
import type { Database } from '../persistence/database.js';
import { releaseDeliveries } from '../persistence/lease-keeping.js';
import { within } from './within.js';

/** What a claim brought. */
export interface Turn {
  readonly deliveries: readonly ClaimedDelivery[];
  /**
   * - `now`: more may be due that could go at once
   * - `room`: more is due, and could go when some of what is in flight has ended
   * - `none`: all that is due has been taken
   */
  readonly more: 'now' | 'room' | 'none';
  /** See `Claim`, as the next one. */
  readonly pacedMs: number | null;
  readonly answeredAt: Date;
}

/** Goes round the sinks, claim by claim, and knows when a whole round has found nothing more. */
export class ClaimTurns {
  readonly #database: Database;
  #lastSink = '';
  /** Where something was found last: when it is passed again, there is nothing more. */
  #origin = '';
  #capped = false;
  readonly #fullWorkspaces = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Before the first of some claims: what was full may have room by now. */
  begin(): void {
    this.#origin = this.#lastSink;
    this.#capped = false;
    this.#fullWorkspaces.clear();
  }

  /** @throws what the database throws; NoAnswerError when it does not answer within a lease */
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
    // Somebody's cap must not keep the others from their turns: only after a whole round it is waited for.
    if (!exhausted && !cameRound) return { deliveries, more: 'now', pacedMs, answeredAt };
    return { deliveries, more: this.#capped ? 'room' : 'none', pacedMs, answeredAt };
  }

  /** Waits a lease for it: the next claim goes over another connection, this one's may be lost. */
  async #claim(limits: ClaimLimits, position: ClaimPosition): Promise<Claim> {
    const claim = claimDeliveries(this.#database, limits, position);
    try {
      return await within(claim, limits.leaseMs, 'the database');
    } catch (error) {
      // What it brings all the same is given back at once: its leases would run out and be counted as lost workers.
      claim.then(({ deliveries }) => this.#giveBack(deliveries)).catch(() => undefined);
      throw error;
    }
  }

  async #giveBack(deliveries: readonly ClaimedDelivery[]): Promise<void> {
    const releases = deliveries.map(({ id, leaseToken }) => ({ id, leaseToken, waitMs: 0, ownFailure: false }));
    if (releases.length > 0) await releaseDeliveries(this.#database, releases);
  }
}

/** Whether the way from one sink to another, which comes round at its end, leads past a third. */
function passes(sink: string, from: string, to: string): boolean {
  return from < to ? from < sink && sink <= to : from < sink || sink <= to;
}
