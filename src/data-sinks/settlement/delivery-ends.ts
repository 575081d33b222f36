import { Injectable } from '@nestjs/common';
import type { DeliveryReason, SettledStatus } from '../domain/delivery.js';
import { DATA_SINK_EVENTS, type DataSinkPushEvent } from '../domain/domain-events.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { EventLog } from '../tools/event-log.js';
import { AuditOutbox, codesOf, partFieldOf } from './audit-outbox.js';
import type { EndingAttempt } from './audit-outbox.sql.js';
import { EventPublisher } from './event-publisher.js';

/** A delivery that has ended. */
export interface DeliveryEnd {
  readonly push: DataSinkPushEvent;
  /** The type of its sink; null where its row is gone. */
  readonly sinkType: string | null;
  readonly status: SettledStatus;
  /** Null for a delivered one. */
  readonly reason: DeliveryReason | null;
  /** The last attempt; null when it ended without being sent. */
  readonly attempt: EndingAttempt | null;
}

/**
 * Tells of deliveries that ended, whatever ended them, once that is on record: the counter, the host's listeners and the
 * log. Their audit entries are on record with their ends, and wait in the outbox.
 */
@Injectable()
export class DeliveryEnds {
  readonly #log = new EventLog();
  constructor(
    private readonly events: EventPublisher,
    private readonly telemetry: Telemetry,
    private readonly outbox: AuditOutbox,
  ) {}

  tell(ends: readonly DeliveryEnd[]): void {
    for (const end of ends) {
      this.telemetry.ended(OUTCOMES[end.status], end.sinkType);
      this.#emit(end);
      this.#write(end);
    }
    if (ends.length > 0) this.outbox.notify();
  }

  #emit({ push, status, reason, attempt }: DeliveryEnd): void {
    const httpStatus = attempt?.httpStatus ?? null;
    if (status === 'DELIVERED') {
      this.events.emit(DATA_SINK_EVENTS.pushDelivered, { ...push, httpStatus: httpStatus ?? 0 });
    } else if (status === 'FAILED' && reason !== null) {
      this.events.emit(DATA_SINK_EVENTS.pushFailed, {
        ...push,
        reason,
        lastAttemptStatus: attempt?.status ?? null,
        errorCode: attempt?.errorCode ?? null,
        httpStatus,
      });
    } else if (status === 'CANCELLED' && reason !== null) {
      this.events.emit(DATA_SINK_EVENTS.pushCancelled, { ...push, reason });
    }
  }

  /** A delivered one is covered by its attempt's log line. */
  #write({ push, status, reason, attempt }: DeliveryEnd): void {
    if (status === 'DELIVERED') return;
    const { deliveryId, workspaceId, agentId, dataSourceId, jobId, trigger, attempts } = push;
    const failed = status === 'FAILED';
    const fields = {
      event: failed ? 'delivery.failed' : 'delivery.cancelled',
      message: `delivery ${deliveryId} of job ${jobId} ended ${status}: ${reason}`,
      ...{ reason, deliveryId, dataSourceId, workspaceId, agentId, jobId, ...partFieldOf(push), trigger, attempts },
      ...codesOf(attempt),
    };
    if (failed) this.#log.warn(fields);
    else this.#log.debug(fields);
  }
}

const OUTCOMES = { DELIVERED: 'delivered', FAILED: 'failed', CANCELLED: 'cancelled' } as const;
