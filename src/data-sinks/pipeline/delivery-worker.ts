import { Logger } from '@nestjs/common';
import type { CancelSignal } from '../core/cancellation.js';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { planAfterOwnFailure } from '../core/delivery.js';
import { failpoint } from '../core/failpoint.js';
import { nextDueInMs } from '../persistence/next-due.js';
import type { Database } from '../persistence/database.js';
import { type Ending, endDeliveries, type Release, releaseDeliveries } from '../persistence/lease-keeping.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { AttemptAbortedError } from './attempt-aborted.error.js';
import { ClaimTurns } from './claim-turns.js';
import type { DeliveryAttempt } from './delivery-attempt.js';
import type { DeliveryGate } from './delivery-gate.js';
import { LeaseKeeper } from './lease-keeper.js';
import { OutageLog } from '../core/outage-log.js';
import { RoomForClaims } from './room-for-claims.js';
import type { ServerClock } from './server-clock.js';
import type { SettledDeliveries } from './settled-deliveries.js';
import { ShutdownGrace } from './shutdown-grace.js';
import { within } from './within.js';

export interface DeliveryWorkerOptions {
  /** Deliveries in flight in this process, at most. */
  readonly maxInFlight: number;
  readonly claimBatch: number;
  readonly maxInFlightPerSink: number;
  readonly maxInFlightPerWorkspace: number;
  readonly leaseMs: number;
  /** How often to look for due deliveries even if nobody said so: the bound on what a lost wake-up costs. */
  readonly pollMs: number;
  readonly shutdownGraceMs: number;
  readonly retryWaitsMs: readonly number[];
  readonly random: () => number;
}

/** Step 4: claims due deliveries in batches, judges them, and runs step 5 for each, until none is due. */
export class DeliveryWorker {
  readonly #logger = new Logger('DataSinks');
  readonly #outages = new OutageLog(this.#logger, 'worker');
  /** By lease: after one was lost, this process may have claimed the same delivery anew before it is done with the old. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #leases: LeaseKeeper;
  readonly #turns: ClaimTurns;
  #poll: NodeJS.Timeout | null = null;
  #running = false;
  #looking = false;
  #claiming: Promise<void> | null = null;
  #wokenMeanwhile = false;
  /** A claim writes, a look only reads: where the last claim failed, a look that goes well says nothing about the next. */
  #claimsFail = false;
  readonly #room: RoomForClaims;

  constructor(
    private readonly session: Database,
    private readonly gate: DeliveryGate,
    private readonly attempt: DeliveryAttempt,
    private readonly wakeup: Wakeup,
    private readonly clock: ServerClock,
    private readonly settled: Pick<SettledDeliveries, 'unsent' | 'cancelled'>,
    private readonly telemetry: Pick<Telemetry, 'claimed'>,
    private readonly options: DeliveryWorkerOptions,
  ) {
    this.#leases = new LeaseKeeper(session, options.leaseMs);
    this.#turns = new ClaimTurns(session);
    this.#room = new RoomForClaims(options.claimBatch / 4, () => this.wake());
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#leases.start();
    await this.wakeup.start(() => this.wake());
    this.#poll = setInterval(() => void this.#look(), this.options.pollMs);
    this.wake();
  }

  /** Looks for due deliveries now. Calls that come while a claim is under way lead to one more. */
  wake(): void {
    if (!this.#running) return;
    if (this.#claiming) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#claiming = this.#claimUntilNoneIsDue().finally(() => {
      this.#claiming = null;
      if (this.#wokenMeanwhile) {
        this.#wokenMeanwhile = false;
        this.wake();
      }
    });
  }

  /** Stops claiming, lets attempts in flight finish for a while, then cuts the rest off and gives them back. */
  async stop(): Promise<void> {
    this.#running = false;
    if (this.#poll) clearInterval(this.#poll);
    this.#room.stop();
    // Begun before anything is waited for: what a claim waits for may never come.
    const grace = new ShutdownGrace(this.options.shutdownGraceMs, () =>
      this.#leases.abortAll(new AttemptAbortedError('shutdown')),
    );
    try {
      await this.wakeup.stop();
    } finally {
      await grace.orOver(this.#claiming);
      // What is left behind, the sweeper takes.
      await grace.orPast(Promise.all(this.#inFlight.values()));
      grace.end();
      this.#leases.stop();
    }
  }

  /** The poll: one look at one index, far cheaper than a claim that finds nothing. */
  async #look(): Promise<void> {
    // While the database hangs, one look waits for it, and not one more every second: for a lease, as a claim does.
    if (this.#looking) return;
    this.#looking = true;
    const begunAt = this.#outages.mark();
    try {
      const dueInMs = await within(nextDueInMs(this.session), this.options.leaseMs, 'the database');
      if (!this.#claimsFail) this.#outages.over(begunAt);
      // After a claim that failed, one that finds nothing ends the outage too.
      if (dueInMs === 0 || this.#claimsFail) this.wake();
      else if (dueInMs !== null && dueInMs < this.options.pollMs) this.wakeup.notifyIn(dueInMs);
    } catch (error) {
      this.#outages.report(error);
    } finally {
      this.#looking = false;
    }
  }

  async #claimUntilNoneIsDue(): Promise<void> {
    const { maxInFlight, claimBatch, leaseMs } = this.options;
    const caps = {
      inFlightPerSink: this.options.maxInFlightPerSink,
      inFlightPerWorkspace: this.options.maxInFlightPerWorkspace,
    };
    this.#turns.begin();
    try {
      while (this.#running) {
        const batch = Math.min(claimBatch, maxInFlight - this.#inFlight.size);
        this.#room.beginClaim();
        if (batch <= 0) return this.#room.wait();
        const begunAt = this.#outages.mark();
        const { deliveries, more, pacedMs, answeredAt } = await this.#turns.next({ ...caps, batch, leaseMs });
        this.#claimsFail = false;
        this.#outages.over(begunAt);
        this.clock.set(answeredAt);
        if (deliveries.length > 0) {
          failpoint('after-claimed');
          this.telemetry.claimed(deliveries.length);
          this.#take(deliveries);
          // More may be due than this process can take: another one may be idle.
          if (deliveries.length === batch) this.wakeup.notifyOthers();
        }
        if (pacedMs !== null) this.wakeup.notifyIn(pacedMs);
        if (more === 'room') this.#room.wait();
        if (more !== 'now') return;
      }
    } catch (error) {
      this.#claimsFail = true;
      this.#outages.report(error);
    }
  }

  #take(claimed: readonly ClaimedDelivery[]): void {
    const judged = this.#judge(claimed);
    for (const delivery of claimed) {
      const signal = this.#leases.hold(delivery);
      const done = judged
        .then((passed) => (passed.has(delivery.id) ? this.#run(delivery, signal) : undefined))
        .catch((error: unknown) => {
          // Nothing more can be done here: the lease runs out and the sweeper takes it from there.
          this.#logger.error({ event: 'delivery.left_to_sweeper', deliveryId: delivery.id, error: String(error) });
        })
        .finally(() => {
          this.#leases.release(delivery);
          this.#inFlight.delete(delivery.leaseToken);
          this.#room.made();
        });
      this.#inFlight.set(delivery.leaseToken, done);
    }
  }

  /** @returns the ids of those that may be sent; the others have been ended or given back */
  async #judge(claimed: readonly ClaimedDelivery[]): Promise<ReadonlySet<string>> {
    try {
      const verdicts = await within(this.gate.judge(claimed), this.options.leaseMs / 2, 'the gate');
      const endings = claimed.flatMap(({ id, leaseToken }, i): Ending[] => {
        const reason = verdicts[i];
        return reason ? [{ id, leaseToken, status: 'CANCELLED', reason }] : [];
      });
      if (endings.length > 0) {
        const ended = await endDeliveries(this.session, endings);
        await this.settled.cancelled(claimed.filter(({ id }) => ended.has(id)));
      }
      return new Set(claimed.filter((_, i) => !verdicts[i]).map(({ id }) => id));
    } catch (error) {
      const releases = claimed.map((delivery): Release => {
        const { waitMs } = planAfterOwnFailure(delivery, this.options.random(), this.options.retryWaitsMs);
        return { id: delivery.id, leaseToken: delivery.leaseToken, waitMs, ownFailure: true };
      });
      this.#logger.error({ event: 'gate.unavailable', deliveries: claimed.length, error: String(error) });
      await releaseDeliveries(this.session, releases);
      return new Set();
    }
  }

  async #run(delivery: ClaimedDelivery, signal: CancelSignal): Promise<void> {
    const result = await this.attempt.run(delivery, signal);
    if (!result) return;
    if ('ending' in result) {
      const { status, reason } = result.ending;
      const ended = await endDeliveries(this.session, [result.ending]);
      if (status === 'FAILED' && ended.has(delivery.id)) await this.settled.unsent(delivery, reason);
      return;
    }
    if ('release' in result) {
      await releaseDeliveries(this.session, [result.release]);
    }
    const { waitMs } = 'release' in result ? result.release : result;
    if (waitMs !== null) this.wakeup.notifyIn(waitMs);
  }
}
