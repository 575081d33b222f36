import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { AttemptEnd } from '../domain/attempt-end.js';
import type { CancelSignal } from '../tools/cancellation.js';
import { NaturalBatcher } from '../tools/natural-batcher.js';
import type { OpenedAttempt } from '../domain/attempt-end.js';
import { type AttemptOpening, openAttempts } from './attempt-opening.sql.js';
import { closeAttempts, endingsOnRecord } from './attempt.sql.js';
import { Database } from '../database/database.js';
import type { AttemptUnderway } from '../destinations/destination.js';
import { AttemptAbortedError } from '../queue/attempt-aborted.error.js';
import type { LeaseHolder } from '../queue/lease.sql.js';
import { clearLeftover, objectsOf, writeLeftover } from './leftovers.sql.js';
import { releaseUnopened, type Unopened } from './release-unopened.sql.js';
import { SettledDeliveries } from '../settlement/settled-deliveries.js';
import { within } from '../tools/within.js';
import { EventLog } from '../tools/event-log.js';

const RETRY_AFTER_MS = 250;

/** Steps 5 and 6: writes attempt rows in batches, before and after their requests. */
@Injectable()
export class AttemptRecorder {
  readonly #logger = new EventLog();
  readonly #database: Database;
  readonly #openings: NaturalBatcher<AttemptOpening, OpenedAttempt | null>;
  readonly #unopened: NaturalBatcher<Unopened, boolean>;
  readonly #closings: NaturalBatcher<AttemptEnd, boolean>;
  readonly #doubts: NaturalBatcher<AttemptEnd, boolean>;
  readonly #aftermath: NaturalBatcher<AttemptEnd, undefined>;

  /** @param settled called for attempts that ended, after they are recorded */
  constructor(
    database: Database,
    private readonly settled: SettledDeliveries,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {
    this.#database = database.withinLease();
    this.#openings = new NaturalBatcher((items) => this.#openBatch(items));
    // In batches as well: a batch of openings usually fails as a whole, because of the database.
    this.#unopened = new NaturalBatcher((items) => this.#releaseBatch(items));
    this.#closings = new NaturalBatcher((items) => this.#askOf(closeAttempts, items));
    this.#doubts = new NaturalBatcher((items) => this.#askOf(endingsOnRecord, items));
    // Apart from the closings, which go on meanwhile.
    this.#aftermath = new NaturalBatcher((items) => this.#follow(items));
  }

  /**
   * Writes the attempt's row, and its body where that is not stored yet.
   * @returns null when the delivery is no longer this worker's, or another process has stored a body of its own: nothing
   *   may be sent
   */
  open(opening: AttemptOpening): Promise<OpenedAttempt | null> {
    return this.#openings.add(opening);
  }

  /**
   * Releases, as our own failure, deliveries whose attempt could not be opened. Retried as long as a closing, since the
   * cause, e.g. a database restart, may affect this too. After that the sweeper finds the expired lease and counts a
   * crash.
   * @param signal no retries after it is aborted
   * @returns false when the lease was lost, or an earlier try without an answer had released it
   */
  giveBack({ id, leaseToken }: LeaseHolder, waitMs: number, signal?: CancelSignal): Promise<boolean> {
    return this.#keepTrying(() => this.#unopened.add({ id, leaseToken, waitMs }), signal);
  }

  /** What a destination keeps on the attempt's row while it sends, and what it asks of those before. */
  during(
    opened: OpenedAttempt,
    { id: deliveryId, workspaceId, leaseToken }: LeaseHolder & { readonly workspaceId: string },
  ): Pick<AttemptUnderway, 'earlierObjects' | 'leaves' | 'leavesNothing'> {
    return {
      earlierObjects: () => objectsOf(this.#database, workspaceId, deliveryId),
      leaves: async (leftover) => {
        const isOurs = await writeLeftover(this.#database, opened, leaseToken, leftover);
        if (!isOurs) throw new AttemptAbortedError('lease_lost');
      },
      leavesNothing: () => clearLeftover(this.#database, opened),
    };
  }

  /**
   * Writes the outcome of an attempt and the next step of its delivery. Retries through a short database outage,
   * because the receiver's response cannot be had again.
   * @param signal no retries after it is aborted, e.g. at shutdown
   * @returns false when the lease was lost: the result has no effect
   */
  async close(end: AttemptEnd, signal?: CancelSignal): Promise<boolean> {
    const recorded = await this.#keepTrying(
      // An earlier try may have committed without an answer; then this process must still do what follows.
      async (isFirst) => (await this.#closings.add(end)) || (!isFirst && (await this.#doubts.add(end))),
      signal,
    );
    if (!recorded) return false;
    await this.#aftermath.add(end);
    return true;
  }

  async #keepTrying<T>(work: (isFirst: boolean) => Promise<T>, signal?: CancelSignal): Promise<T> {
    // By then the lease is lost anyway.
    const deadline = performance.now() + this.options.leaseMs;
    for (let isFirst = true; ; isFirst = false) {
      const begunAt = performance.now();
      try {
        return await work(isFirst);
      } catch (error) {
        // Measured from its start: a try that got no answer in all this time is followed by one more, on another
        // connection.
        if (begunAt >= deadline || signal?.aborted) throw error;
        await delay(RETRY_AFTER_MS);
      }
    }
  }

  async #openBatch(items: readonly AttemptOpening[]): Promise<(OpenedAttempt | null)[]> {
    const opened = await openAttempts(this.#database, this.options.workerId, items);
    const byId = new Map(opened.map((attempt) => [attempt.attemptId, attempt]));
    return items.map(({ attemptId }) => byId.get(attemptId) ?? null);
  }

  /** Waits at most as long as a lease; the lease is extended meanwhile. */
  async #releaseBatch(unopened: readonly Unopened[]): Promise<boolean[]> {
    const { leaseMs } = this.options;
    const released = this.#database.transaction((transaction) => releaseUnopened(transaction, unopened, leaseMs));
    const tokens = await within(released, leaseMs, 'the database');
    return unopened.map(({ leaseToken }) => tokens.has(leaseToken));
  }

  async #askOf(statement: typeof closeAttempts, ends: readonly AttemptEnd[]): Promise<boolean[]> {
    const found = await statement(
      this.#database,
      ends.map(({ closing }) => closing),
    );
    return ends.map(({ closing }) => found.has(closing.opened.attemptId));
  }

  /** Runs after the attempt is recorded. Never throws. */
  async #follow(ends: readonly AttemptEnd[]): Promise<undefined[]> {
    try {
      // A statement on a dead connection must not block all later closings.
      await within(this.settled.byAttempt(ends), this.options.leaseMs, 'what follows an attempt');
    } catch (error) {
      this.#logger.error({
        event: 'attempts.not_followed_up',
        message: `${ends.length} attempts are on record, and what follows their ends could not all be done`,
        ...{ attempts: ends.length, error: String(error) },
      });
    }
    return ends.map(() => undefined);
  }
}
