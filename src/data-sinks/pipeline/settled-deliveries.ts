import { Logger } from '@nestjs/common';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DeliveryReason } from '../core/delivery.js';
import { DATA_SINK_EVENTS, type DataSinkPushEvent } from '../core/domain-events.js';
import { partOf } from '../core/payload-recipe.js';
import { removeDeliveredPayloads } from '../payload/payload-expiry.js';
import type { Session } from '../persistence/database.js';
import type { SweptLease } from '../persistence/lease-keeping.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { AttemptEnd } from './attempt-recorder.js';
import type { AutoDisable } from './auto-disable.js';
import type { DeliveryParts } from './delivery-parts.js';
import type { DomainEvents } from './domain-events.js';
import type { SinkPauses } from './sink-pauses.js';

/** What follows when deliveries have ended and that is on record: events for the host, and a look at those who fail. */
export class SettledDeliveries {
  readonly #logger = new Logger('DataSinks');

  constructor(
    private readonly events: DomainEvents,
    private readonly autoDisable: Pick<AutoDisable, 'judge'>,
    private readonly pauses: Pick<SinkPauses, 'judge'>,
    private readonly telemetry: Telemetry,
    private readonly parts: Pick<DeliveryParts, 'settled' | 'unmakeable'>,
    private readonly session: Session,
    private readonly erasePayloadsOnSuccess: boolean,
  ) {}

  /** Those of which an attempt has ended: delivered, failed, or to be tried again. Never throws. */
  async byAttempt(ends: readonly AttemptEnd[]): Promise<void> {
    for (const end of ends) this.#tell(end);
    await this.pauses.judge(ends);
    const settled = ends.filter(({ closing }) => closing.plan.status !== 'RETRYING');
    await this.parts.settled(
      settled.map(({ delivery, closing }) => ({ delivery, delivered: closing.plan.status === 'DELIVERED' })),
    );
    const failed = ends.filter(({ closing }) => closing.plan.status === 'FAILED');
    await this.autoDisable.judge(
      failed.map(({ delivery, closing }) => ({
        dataSourceId: delivery.dataSourceId,
        gone: closing.httpStatus === GONE,
      })),
    );
    if (this.erasePayloadsOnSuccess)
      await this.#erase(ends.filter(({ closing }) => closing.plan.status === 'DELIVERED'));
  }

  /** What fails now is found by retention later. */
  async #erase(delivered: readonly AttemptEnd[]): Promise<void> {
    if (delivered.length === 0) return;
    try {
      await removeDeliveredPayloads(
        this.session,
        delivered.map(({ delivery }) => delivery),
      );
    } catch (error) {
      this.#logger.error({ event: 'payloads.not_erased', deliveries: delivered.length, error: String(error) });
    }
  }

  /** One that failed before anything was sent, on our side or the host's. */
  async unsent(delivery: ClaimedDelivery, reason: DeliveryReason): Promise<void> {
    this.telemetry.ended('failed');
    const none = { lastAttemptStatus: null, errorCode: null, httpStatus: null };
    this.events.emit(DATA_SINK_EVENTS.pushFailed, { ...pushOf(delivery, delivery.attemptCount), reason, ...none });
    if (reason === 'results_missing' || reason === 'results_invalid') await this.parts.unmakeable(delivery, reason);
    await this.parts.settled([{ delivery, delivered: false }]);
  }

  /** Those that the gate said no to. */
  async cancelled(deliveries: readonly ClaimedDelivery[]): Promise<void> {
    this.telemetry.ended('cancelled', deliveries.length);
    await this.parts.settled(deliveries.map((delivery) => ({ delivery, delivered: false })));
  }

  /** One that took its worker down too often. */
  abandoned({ status: _status, ...push }: SweptLease): void {
    this.telemetry.ended('failed');
    this.events.emit(DATA_SINK_EVENTS.pushFailed, {
      ...{ ...push, reason: 'abandoned_too_often', httpStatus: null },
      ...{ lastAttemptStatus: 'ABANDONED', errorCode: 'worker_lost' },
    });
  }

  #tell({ delivery, closing }: AttemptEnd): void {
    const { plan, status, errorCode, httpStatus, opened } = closing;
    const push = pushOf(delivery, opened.attemptNumber);
    this.telemetry.attempted({ status, timings: closing.timings });
    if (plan.status === 'DELIVERED') {
      this.telemetry.ended('delivered');
      this.events.emit(DATA_SINK_EVENTS.pushDelivered, { ...push, httpStatus: httpStatus ?? 0 });
    } else if (plan.status === 'FAILED') {
      this.telemetry.ended('failed');
      const { reason } = plan;
      this.events.emit(DATA_SINK_EVENTS.pushFailed, {
        ...push,
        reason,
        lastAttemptStatus: status,
        errorCode,
        httpStatus,
      });
    }
  }
}

/** The receiver's own word for "never again". */
const GONE = 410;

function pushOf(delivery: ClaimedDelivery, attempts: number): DataSinkPushEvent {
  const { id: deliveryId, workspaceId, agentId, dataSourceId, jobId, run, recipe, trigger } = delivery;
  return { workspaceId, agentId, dataSourceId, deliveryId, jobId, run, part: partOf(recipe), trigger, attempts };
}
