import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { ClaimedDelivery, ClaimedSink } from '../domain/claimed-delivery.js';
import type { CancelReason, DeliveryReason } from '../domain/delivery.js';
import type { DataSinkPushEvent } from '../domain/domain-events.js';
import { partOf } from '../domain/body/payload-recipe.js';
import { removeDeliveredPayloads } from '../payload/payload-expiry.js';
import { Database } from '../database/database.js';
import type { SweptLease } from '../queue/lease.sql.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { AttemptEnd } from '../domain/attempt-end.js';
import { type DeliveryEnd, DeliveryEnds } from './delivery-ends.js';
import { DeliveryParts } from './delivery-parts.js';
import { SinkCircuit } from './sink-circuit.js';
import { EventLog } from '../tools/event-log.js';
import type { OwnFailureKind } from '../telemetry/own-failure-kind.js';
import type { AttemptErrorCode } from '../domain/attempt.js';

/** Runs after deliveries have ended and this is recorded: reports them, updates parts, checks failing sinks. */
@Injectable()
export class SettledDeliveries {
  readonly #logger = new EventLog();

  constructor(
    private readonly ends: DeliveryEnds,
    private readonly circuit: SinkCircuit,
    private readonly telemetry: Telemetry,
    private readonly parts: DeliveryParts,
    private readonly database: Database,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** Deliveries whose attempt has ended: delivered, failed or to be retried. Never throws. */
  async byAttempt(ends: readonly AttemptEnd[]): Promise<void> {
    for (const { delivery, closing } of ends) {
      this.telemetry.attempted(closing, sinkTypeOf(delivery));
      if (closing.ownFailure) this.telemetry.ownFailure(kindOf(closing.errorCode));
    }
    const settled = ends.filter(({ closing }) => closing.plan.status !== 'RETRYING');
    this.ends.tell(settled.flatMap(toDeliveryEnd));
    await this.circuit.judge(ends);
    await this.parts.settled(
      settled.map(({ delivery, closing }) => ({ delivery, delivered: closing.plan.status === 'DELIVERED' })),
    );
    await this.circuit.disable(ends.filter(({ closing }) => closing.plan.status === 'FAILED'));
    if (this.options.erasePayloadsOnSuccess)
      await this.#erase(ends.filter(({ closing }) => closing.plan.status === 'DELIVERED'));
  }

  /** Retention deletes later what fails now. */
  async #erase(delivered: readonly AttemptEnd[]): Promise<void> {
    if (delivered.length === 0) return;
    try {
      await removeDeliveredPayloads(
        this.database,
        delivered.map(({ delivery }) => delivery),
      );
    } catch (error) {
      this.#logger.error({
        event: 'payloads.not_erased',
        message: `the bodies of ${delivered.length} deliveries could not be erased now; the hourly retention does it`,
        ...{ deliveries: delivered.length, error: String(error) },
      });
    }
  }

  /** Deliveries that failed before anything was sent, on our side or the host's. Never throws. */
  async unsent(delivery: ClaimedDelivery, reason: DeliveryReason): Promise<void> {
    this.ends.tell([
      { push: pushOf(delivery), sinkType: sinkTypeOf(delivery), status: 'FAILED', reason, attempt: null },
    ]);
    if (reason === 'results_missing' || reason === 'results_invalid') await this.parts.unmakeable(delivery, reason);
    await this.parts.settled([{ delivery, delivered: false }]);
  }

  /** Deliveries that the gate ended, or a request. Never throws. */
  async cancelled(cancelled: readonly Cancelled[]): Promise<void> {
    this.ends.tell(
      cancelled.map(({ delivery, reason }) => ({
        push: pushOf(delivery),
        sinkType: sinkTypeOf(delivery),
        status: 'CANCELLED',
        reason,
        attempt: null,
      })),
    );
    await this.parts.settled(cancelled.map(({ delivery }) => ({ delivery, delivered: false })));
  }

  /** Those that took their workers down too often. Never throws. */
  abandoned(swept: readonly SweptLease[]): void {
    const attempt = { status: 'ABANDONED', errorCode: 'worker_lost', httpStatus: null } as const;
    this.ends.tell(
      swept.map(({ status: _status, sinkType, ...push }) => ({
        ...{ push, sinkType },
        status: 'FAILED',
        reason: 'abandoned_too_often',
        attempt,
      })),
    );
  }
}

/** What is told of a delivery that ended. */
export type EndedDelivery = Pick<
  ClaimedDelivery,
  'id' | 'workspaceId' | 'agentId' | 'dataSourceId' | 'jobId' | 'run' | 'recipe' | 'trigger' | 'attemptCount'
> & { readonly sink: Pick<ClaimedSink, 'type'> | null };

/** A delivery that the gate ended, and the reason. */
export interface CancelledDelivery {
  readonly delivery: ClaimedDelivery;
  readonly reason: CancelReason;
}

/** One that the gate ended, or a request. */
type Cancelled = CancelledDelivery | { readonly delivery: EndedDelivery; readonly reason: 'requested' };

function toDeliveryEnd({ delivery, closing }: AttemptEnd): DeliveryEnd[] {
  const { plan, opened, status, errorCode, httpStatus } = closing;
  if (plan.status === 'RETRYING') return [];
  const push = pushOf(delivery, opened.attemptNumber);
  const attempt = { status, errorCode, httpStatus };
  return [{ push, sinkType: sinkTypeOf(delivery), status: plan.status, reason: plan.reason, attempt }];
}

function pushOf(delivery: EndedDelivery, attempts = delivery.attemptCount): DataSinkPushEvent {
  const { id: deliveryId, workspaceId, agentId, dataSourceId, jobId, run, recipe, trigger } = delivery;
  return { workspaceId, agentId, dataSourceId, deliveryId, jobId, run, part: partOf(recipe), trigger, attempts };
}

function sinkTypeOf({ sink }: EndedDelivery): string | null {
  return sink?.type ?? null;
}

/** What an attempt ended of that was our own. */
function kindOf(errorCode: AttemptErrorCode | null): OwnFailureKind {
  return errorCode === 'resolver_unavailable' ? 'resolver' : 'internal';
}
