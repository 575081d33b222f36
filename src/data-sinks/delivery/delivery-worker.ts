import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS, RANDOM } from '../data-sinks.tokens.js';
import type { CancelSignal } from '../tools/cancellation.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import { planAfterOwnFailure } from '../domain/delivery.js';
import { failpoint } from '../tools/failpoint.js';
import { nextDueInMs } from '../queue/next-due.sql.js';
import { Database } from '../database/database.js';
import { type Ending, endDeliveries, type Release, releaseDeliveries } from '../queue/lease.sql.js';
import { Handover } from '../queue/handover.js';
import { ThisWorker } from '../queue/this-worker.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import type { Outage } from '../telemetry/outage.js';
import { Outages } from '../telemetry/outages.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { AttemptAbortedError } from '../queue/attempt-aborted.error.js';
import { ClaimTurns } from '../queue/claim-turns.js';
import { DeliveryAttempt } from './delivery-attempt.js';
import { DeliveryGate } from './delivery-gate.js';
import { LeaseKeeper } from '../queue/lease-keeper.js';
import { ClaimCapacity } from '../queue/claim-capacity.js';
import { ServerClock } from '../database/server-clock.js';
import { type CancelledDelivery, SettledDeliveries } from '../settlement/settled-deliveries.js';
import { ShutdownGrace } from './shutdown-grace.js';
import { inOwnContext } from '../tools/own-context.js';
import { within } from '../tools/within.js';
import { EventLog } from '../tools/event-log.js';

/** Step 4: claims due deliveries in batches, runs the gate and then step 5 for each, until none is due. */
@Injectable()
export class DeliveryWorker {
  readonly #logger = new EventLog();
  readonly #database: Database;
  readonly #outage: Outage;
  readonly #gateOutage: Outage;
  /** By lease: after losing one, this process may claim the same delivery again before it is done with the old one. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #leases: LeaseKeeper;
  readonly #turns: ClaimTurns;
  #poll: NodeJS.Timeout | null = null;
  #running = false;
  #looking = false;
  #claiming: Promise<void> | null = null;
  #wokenMeanwhile = false;
  /**
   * Separate, because claims write and the query for the next due time only reads: its success does not prove that
   * claims work.
   */
  #claimsFail = false;
  readonly #capacity: ClaimCapacity;

  constructor(
    database: Database,
    private readonly gate: DeliveryGate,
    private readonly attempt: DeliveryAttempt,
    private readonly wakeup: Wakeup,
    private readonly handover: Handover,
    private readonly worker: ThisWorker,
    private readonly clock: ServerClock,
    private readonly settled: SettledDeliveries,
    private readonly telemetry: Telemetry,
    outages: Outages,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Inject(RANDOM) private readonly random: () => number,
  ) {
    this.#outage = outages.of('worker');
    this.#gateOutage = outages.of('gate');
    this.#database = database.withinLease();
    this.#leases = new LeaseKeeper(this.#database, options.leaseMs);
    this.#turns = new ClaimTurns(this.#database);
    this.#capacity = new ClaimCapacity(options.claimBatch / 4, () => this.wake());
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#leases.start();
    this.handover.open({
      room: () => this.options.maxInFlight - this.#inFlight.size,
      inFlightOf: (sink) => this.#leases.heldOf(sink),
      answered: (at) => this.clock.set(at),
      take: (deliveries) => inOwnContext(() => this.#take(deliveries)),
    });
    await this.wakeup.start(() => this.wake());
    this.#poll = setInterval(() => void this.#look(), this.options.pollMs);
    this.wake();
  }

  /**
   * Claims due deliveries now. Calls during a claim lead to one more claim. Runs in the worker's async context, not in
   * the caller's, e.g. that of the request that completed a job.
   */
  wake(): void {
    if (!this.#running) return;
    if (this.#claiming) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#claiming = inOwnContext(() => this.#claimUntilNoneIsDue()).finally(() => {
      this.#claiming = null;
      if (this.#wokenMeanwhile) {
        this.#wokenMeanwhile = false;
        this.wake();
      }
    });
  }

  /** Stops claiming, lets attempts in flight finish within the grace period, then aborts and releases the rest. */
  async stop(): Promise<void> {
    this.#running = false;
    this.handover.close();
    if (this.#poll) clearInterval(this.#poll);
    this.#capacity.stop();
    // Started first, since everything awaited below may hang.
    const grace = new ShutdownGrace(this.options.shutdownGraceMs, () =>
      this.#leases.abortAll(new AttemptAbortedError('shutdown')),
    );
    try {
      await this.wakeup.stop();
    } finally {
      await grace.orOver(this.#claiming);
      // The sweeper takes back what is left.
      await grace.orPast(Promise.all(this.#inFlight.values()));
      grace.end();
      this.#leases.stop();
    }
  }

  /** The poll: one index look-up, far cheaper than a claim that finds nothing. */
  async #look(): Promise<void> {
    // While the database hangs, only one look-up waits for it, as long as a lease, not one more each second.
    if (this.#looking) return;
    this.#looking = true;
    const begunAt = this.#outage.mark();
    try {
      const dueInMs = await within(nextDueInMs(this.#database), this.options.leaseMs, 'the database');
      if (!this.#claimsFail) this.#outage.over('', begunAt);
      // After a failed claim, a claim that finds nothing also ends the outage.
      if (dueInMs === 0 || this.#claimsFail) this.wake();
      else if (dueInMs !== null && dueInMs < this.options.pollMs) this.wakeup.notifyIn(dueInMs);
    } catch (error) {
      this.#outage.report(error);
    } finally {
      this.#looking = false;
    }
  }

  async #claimUntilNoneIsDue(): Promise<void> {
    const { maxInFlight, claimBatch, leaseMs } = this.options;
    const { maxInFlightPerSink: inFlightPerSink, maxInFlightPerWorkspace: inFlightPerWorkspace } = this.options;
    const caps = { inFlightPerSink, inFlightPerWorkspace, leaseMs, leasePrefix: this.worker.leasePrefix };
    this.#turns.begin();
    try {
      while (this.#running) {
        const batch = Math.min(claimBatch, maxInFlight - this.#inFlight.size);
        this.#capacity.beginClaim();
        if (batch <= 0) return this.#capacity.wait();
        const begunAt = this.#outage.mark();
        const { deliveries, more, pacedMs, answeredAt } = await this.#turns.next({ ...caps, batch });
        this.#claimsFail = false;
        this.#outage.over('', begunAt);
        this.clock.set(answeredAt);
        if (deliveries.length > 0) {
          this.telemetry.claimed(deliveries.length);
          this.#take(deliveries);
          // More may be due than this process can take: wake an idle one.
          if (deliveries.length === batch) this.wakeup.notifyOthers();
        }
        if (pacedMs !== null) this.wakeup.notifyIn(pacedMs);
        if (more === 'room') this.#capacity.wait();
        if (more !== 'now') return;
      }
    } catch (error) {
      this.#claimsFail = true;
      this.#outage.report(error);
    }
  }

  #take(claimed: readonly ClaimedDelivery[]): void {
    failpoint('after-claimed');
    const judged = this.#judge(claimed);
    for (const delivery of claimed) {
      const signal = this.#leases.hold(delivery);
      const done = judged
        .then(({ passed, followed }) => (passed.has(delivery.id) ? this.#run(delivery, signal) : followed))
        .catch((error: unknown) => {
          // Nothing more can be done: the lease expires and the sweeper takes over.
          this.#logger.error({
            event: 'delivery.left_to_sweeper',
            message: `delivery ${delivery.id} could not be recorded or given back; the sweep takes it when its lease is over`,
            ...{ deliveryId: delivery.id, error: String(error) },
          });
        })
        .finally(() => {
          this.#leases.release(delivery);
          this.#inFlight.delete(delivery.leaseToken);
          this.#capacity.freed();
        });
      this.#inFlight.set(delivery.leaseToken, done);
    }
  }

  /** Ends or releases deliveries that may not be sent. */
  async #judge(claimed: readonly ClaimedDelivery[]): Promise<Judgement> {
    try {
      const verdicts = await this.gate.judge(claimed);
      this.#gateOutage.over();
      const refused = claimed.flatMap((delivery, i): CancelledDelivery[] => {
        const reason = verdicts[i];
        return reason ? [{ delivery, reason }] : [];
      });
      const passed = new Set(claimed.filter((_, i) => !verdicts[i]).map(({ id }) => id));
      if (refused.length === 0) return { passed, followed: undefined };
      const ended = await endDeliveries(this.#database, refused.map(toEnding));
      return { passed, followed: this.settled.cancelled(refused.filter(({ delivery }) => ended.has(delivery.id))) };
    } catch (error) {
      this.#gateOutage.report(error, { count: claimed.length, fields: { deliveries: claimed.length } });
      const releases = claimed.map((delivery): Release => {
        const { waitMs } = planAfterOwnFailure(delivery, this.random(), this.options.retryWaitsMs);
        const { id, leaseToken } = delivery;
        return { id, leaseToken, waitMs: this.#gateOutage.waitMs(waitMs), ownFailure: true };
      });
      await releaseDeliveries(this.#database, releases);
      return { passed: new Set(), followed: undefined };
    }
  }

  async #run(delivery: ClaimedDelivery, signal: CancelSignal): Promise<void> {
    const result = await this.attempt.run(delivery, signal);
    if (!result) return;
    if ('ending' in result) {
      const { ending } = result;
      const ended = await endDeliveries(this.#database, [ending]);
      if (ending.status === 'FAILED' && ended.has(delivery.id)) await this.settled.unsent(delivery, ending.reason);
      return;
    }
    if ('release' in result) await releaseDeliveries(this.#database, [result.release]);
    const { waitMs } = 'release' in result ? result.release : result;
    if (waitMs !== null) this.wakeup.notifyIn(waitMs);
  }
}

/** The gate's decisions for a batch. */
interface Judgement {
  /** The ids of those that may be sent. */
  readonly passed: ReadonlySet<string>;
  /** Follow-up work for those that ended. The others do not wait for it. */
  readonly followed: Promise<void> | undefined;
}

function toEnding({ delivery: { id, leaseToken }, reason }: CancelledDelivery): Ending {
  return { id, leaseToken, status: 'CANCELLED', reason };
}
