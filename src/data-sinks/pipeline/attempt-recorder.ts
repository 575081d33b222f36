import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { CancelSignal } from '../core/cancellation.js';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { NaturalBatcher } from '../core/natural-batcher.js';
import { partOf, partText } from '../core/payload-recipe.js';
import {
  type AttemptClosing,
  type AttemptOpening,
  closeAttempts,
  endingsOnRecord,
  type OpenedAttempt,
  openAttempts,
} from '../persistence/attempt-log.js';
import type { Database } from '../persistence/database.js';
import type { LeaseHolder } from '../persistence/lease-keeping.js';
import { releaseUnopened, type Unopened } from '../persistence/release-unopened.js';
import type { Transactions } from '../persistence/transactions.js';
import type { AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { SettledDeliveries } from './settled-deliveries.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** The delivery that an attempt belongs to, and how the attempt ended. */
export interface AttemptEnd {
  readonly delivery: ClaimedDelivery;
  readonly closing: AttemptClosing;
}

/** While the database is away, a result is kept in memory and written again and again for so long. */
export interface AttemptRecorderOptions {
  readonly workerId: string;
  /** Results are tried to be written for so long; after that the lease is lost in any case. */
  readonly keepTryingMs: number;
}

const RETRY_AFTER_MS = 250;

/** Step 6, and the row that step 5 opens: attempts are written in batches, before and after their requests. */
export class AttemptRecorder {
  readonly #logger = new Logger('DataSinks');
  readonly #session: Database;
  readonly #transactions: Pick<Transactions, 'run'>;
  readonly #audit: AuditTrail;
  readonly #settled: Pick<SettledDeliveries, 'byAttempt'>;
  readonly #options: AttemptRecorderOptions;
  readonly #openings: NaturalBatcher<AttemptOpening, OpenedAttempt | null>;
  readonly #unopened: NaturalBatcher<Unopened, boolean>;
  readonly #closings: NaturalBatcher<AttemptEnd, boolean>;
  readonly #doubts: NaturalBatcher<AttemptEnd, boolean>;
  readonly #aftermath: NaturalBatcher<AttemptEnd, undefined>;

  /** @param settled is told of the attempts that ended, once that is on record */
  constructor(
    session: Database,
    transactions: Pick<Transactions, 'run'>,
    audit: AuditTrail,
    settled: Pick<SettledDeliveries, 'byAttempt'>,
    options: AttemptRecorderOptions,
  ) {
    this.#session = session;
    this.#transactions = transactions;
    this.#audit = audit;
    this.#settled = settled;
    this.#options = options;
    this.#openings = new NaturalBatcher((items) => this.#openBatch(items));
    // In batches as well: a batch of openings fails as one, of a database that is in trouble already.
    this.#unopened = new NaturalBatcher((items) => this.#releaseBatch(items));
    this.#closings = new NaturalBatcher((items) => this.#askOf(closeAttempts, items));
    this.#doubts = new NaturalBatcher((items) => this.#askOf(endingsOnRecord, items));
    // Apart from the closings, which go on meanwhile, and one at a time: batches become larger, and audit entries of one
    // workspace would wait for each other in any case.
    this.#aftermath = new NaturalBatcher((items) => this.#follow(items), { flushers: 1 });
  }

  /** Writes the attempt's row. @returns null when the delivery is no longer this worker's: nothing may be sent */
  open(opening: AttemptOpening): Promise<OpenedAttempt | null> {
    return this.#openings.add(opening);
  }

  /**
   * Gives back, as our own failure, what could not be opened. What failed the opening, a restart of the database say, may
   * fail this too, so it is tried again for as long as a closing is: after that the sweeper counts a worker that died.
   * @param signal once it is aborted, nothing is tried a second time
   * @returns false when the delivery is no longer this worker's, or a try that was not answered gave it back already
   */
  giveBack({ id, leaseToken }: LeaseHolder, waitMs: number, signal?: CancelSignal): Promise<boolean> {
    return this.#keepTrying(() => this.#unopened.add({ id, leaseToken, waitMs }), signal);
  }

  /**
   * Writes how it ended and what comes next. The result of a request that was made is not to be had again, so this
   * outlasts a short absence of the database.
   * @param signal once it is aborted, for a shutdown say, nothing is tried a second time
   * @returns false when the delivery is no longer this worker's: its result counts for nothing
   */
  async close(end: AttemptEnd, signal?: CancelSignal): Promise<boolean> {
    const recorded = await this.#keepTrying(
      // The try before may have been committed though its answer was lost: nobody else knows of what follows.
      async (isFirst) => (await this.#closings.add(end)) || (!isFirst && (await this.#doubts.add(end))),
      signal,
    );
    if (!recorded) return false;
    await this.#aftermath.add(end);
    return true;
  }

  async #keepTrying<T>(work: (isFirst: boolean) => Promise<T>, signal?: CancelSignal): Promise<T> {
    const deadline = performance.now() + this.#options.keepTryingMs;
    for (let isFirst = true; ; isFirst = false) {
      const begunAt = performance.now();
      try {
        return await work(isFirst);
      } catch (error) {
        // By when it began: one that was not answered for all this time is followed by another, over another connection.
        if (begunAt >= deadline || signal?.aborted) throw error;
        await delay(RETRY_AFTER_MS);
      }
    }
  }

  async #openBatch(items: readonly AttemptOpening[]): Promise<(OpenedAttempt | null)[]> {
    const opened = await openAttempts(this.#session, this.#options.workerId, items);
    const byId = new Map(opened.map((attempt) => [attempt.attemptId, attempt]));
    return items.map(({ attemptId }) => byId.get(attemptId) ?? null);
  }

  /** Waited for a lease at most: while a connection that was lost is waited for, the lease is extended all the same. */
  async #releaseBatch(unopened: readonly Unopened[]): Promise<boolean[]> {
    const { keepTryingMs } = this.#options;
    const released = this.#transactions.run((transaction) => releaseUnopened(transaction, unopened, keepTryingMs));
    const tokens = await within(released, keepTryingMs, 'the database');
    return unopened.map(({ leaseToken }) => tokens.has(leaseToken));
  }

  async #askOf(statement: typeof closeAttempts, ends: readonly AttemptEnd[]): Promise<boolean[]> {
    const found = await statement(
      this.#session,
      ends.map(({ closing }) => closing),
    );
    return ends.map(({ closing }) => found.has(closing.opened.attemptId));
  }

  /** What follows once it is on record. Never throws. */
  async #follow(ends: readonly AttemptEnd[]): Promise<undefined[]> {
    await this.#auditSettled(ends.filter(({ closing }) => closing.plan.status !== 'RETRYING'));
    try {
      // A statement over a connection that was lost must not hold up every closing that comes after it.
      await within(this.#settled.byAttempt(ends), this.#options.keepTryingMs, 'what follows an attempt');
    } catch (error) {
      this.#logger.error({ event: 'attempts.not_followed_up', attempts: ends.length, error: String(error) });
    }
    return ends.map(() => undefined);
  }

  /** The attempt rows are the record; an audit trail that fails, or never answers, is reported, and undoes nothing. */
  async #auditSettled(settled: readonly AttemptEnd[]): Promise<void> {
    if (settled.length === 0) return;
    try {
      await within(this.#audit.record(settled.map(toAuditEntry)), PORT_WITHIN_MS, 'the audit trail');
    } catch (error) {
      this.#logger.error({ event: 'audit.not_recorded', entries: settled.length, error: String(error) });
    }
  }
}

function toAuditEntry({ delivery, closing }: AttemptEnd): AuditEntry {
  const part = partOf(delivery.recipe);
  return {
    action: closing.plan.status === 'DELIVERED' ? 'AGENT_RESULTS_PUSHED' : 'AGENT_RESULTS_PUSH_FAILED',
    workspaceId: delivery.workspaceId,
    agentId: delivery.agentId,
    dataSourceId: delivery.dataSourceId,
    deliveryId: delivery.id,
    actor: { type: 'agent', id: delivery.agentId },
    ip: null,
    details: {
      jobId: delivery.jobId,
      trigger: delivery.trigger,
      ...(part && { part: partText(part) }),
      attempts: closing.opened.attemptNumber,
      status: closing.status,
      ...(closing.httpStatus !== null && { httpStatus: closing.httpStatus }),
      ...(closing.errorCode !== null && { errorCode: closing.errorCode }),
    },
  };
}
