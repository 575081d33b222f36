import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DeliveryReason } from '../core/delivery.js';
import { DATA_SINK_EVENTS, type DataSinkPushEvent } from '../core/domain-events.js';
import type { SweptLease } from '../persistence/lease-keeping.js';
import type { AttemptEnd } from './attempt-recorder.js';
import type { AutoDisable } from './auto-disable.js';
import type { DomainEvents } from './domain-events.js';

/** What follows when deliveries have ended and that is on record: events for the host, and a look at those who fail. */
export class SettledDeliveries {
  constructor(
    private readonly events: DomainEvents,
    private readonly autoDisable: Pick<AutoDisable, 'judge'>,
  ) {}

  /** Those that ended with an attempt, delivered or failed. Never throws. */
  async byAttempt(ends: readonly AttemptEnd[]): Promise<void> {
    for (const end of ends) this.#tell(end);
    const failed = ends.filter(({ closing }) => closing.plan.status === 'FAILED');
    await this.autoDisable.judge(
      failed.map(({ delivery, closing }) => ({
        dataSourceId: delivery.dataSourceId,
        gone: closing.httpStatus === GONE,
      })),
    );
  }

  /** One that failed before anything was sent, on our side or the host's. */
  unsent(delivery: ClaimedDelivery, reason: DeliveryReason): void {
    const none = { lastAttemptStatus: null, errorCode: null, httpStatus: null };
    this.events.emit(DATA_SINK_EVENTS.pushFailed, { ...pushOf(delivery, delivery.attemptCount), reason, ...none });
  }

  /** One that took its worker down too often. */
  abandoned({ deliveryId, status: _status, ...rest }: SweptLease): void {
    this.events.emit(DATA_SINK_EVENTS.pushFailed, {
      ...{ ...rest, deliveryId, reason: 'abandoned_too_often', httpStatus: null },
      ...{ lastAttemptStatus: 'ABANDONED', errorCode: 'worker_lost' },
    });
  }

  #tell({ delivery, closing }: AttemptEnd): void {
    const { plan, status, errorCode, httpStatus, opened } = closing;
    const push = pushOf(delivery, opened.attemptNumber);
    if (plan.status === 'DELIVERED') {
      this.events.emit(DATA_SINK_EVENTS.pushDelivered, { ...push, httpStatus: httpStatus ?? 0 });
    } else if (plan.status === 'FAILED') {
      const { reason } = plan;
      this.events.emit(DATA_SINK_EVENTS.pushFailed, { ...push, reason, lastAttemptStatus: status, errorCode, httpStatus });
    }
  }
}

/** The receiver's own word for "never again". */
const GONE = 410;

function pushOf(delivery: ClaimedDelivery, attempts: number): DataSinkPushEvent {
  const { id: deliveryId, workspaceId, agentId, dataSourceId, jobId, run, trigger } = delivery;
  return { workspaceId, agentId, dataSourceId, deliveryId, jobId, run, trigger, attempts };
}
