import type { AttemptErrorCode, AttemptStatus } from './attempt.js';
import type { DisabledReason } from './data-sink.js';
import type { DeliveryReason, DeliveryTrigger } from './delivery.js';
import type { PushPart } from './payload-recipe.js';

/**
 * What the module tells on the host's EventEmitter2, after the record of it is committed. At most once: a process that
 * dies in between tells nothing, and the record is what counts. Never a secret, never a payload, never an answer's text.
 */
export const DATA_SINK_EVENTS = {
  pushDelivered: 'DataSinkPushDelivered',
  pushFailed: 'DataSinkPushFailed',
  disabled: 'DataSinkDisabled',
  reactivated: 'DataSinkReactivated',
  secretExpiring: 'DataSinkSecretExpiring',
} as const;
export type DataSinkEventName = (typeof DATA_SINK_EVENTS)[keyof typeof DATA_SINK_EVENTS];

/** Which sink an event is about. */
export interface DataSinkEvent {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
}

/** Which delivery an event is about. */
export interface DataSinkPushEvent extends DataSinkEvent {
  readonly deliveryId: string;
  readonly jobId: string;
  /** Which completion of the job. */
  readonly run: number;
  readonly trigger: DeliveryTrigger;
  /** Which of the job's parts it carries; null when the job is pushed in one piece. */
  readonly part: PushPart | null;
  /** Attempts made so far, those before a redelivery counted. */
  readonly attempts: number;
}

/** The receiver answered 2xx. */
export interface DataSinkPushDelivered extends DataSinkPushEvent {
  readonly httpStatus: number;
}

/** A delivery ended `FAILED`; nothing more is sent unless somebody redelivers it. One that ends `CANCELLED` is not told. */
export interface DataSinkPushFailed extends DataSinkPushEvent {
  readonly reason: DeliveryReason;
  /** Of the last attempt; null when there was none. */
  readonly lastAttemptStatus: AttemptStatus | null;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
}

/** A sink was disabled because of its failures. Its deliveries wait. */
export interface DataSinkDisabled extends DataSinkEvent {
  readonly reason: DisabledReason;
  /** Deliveries to it that failed for good within the window. */
  readonly failedDeliveries: number;
}

/** A disabled sink takes deliveries again; those that waited are sent. */
export interface DataSinkReactivated extends DataSinkEvent {
  /** A Test that passed, or a change of its status to `ACTIVE`. */
  readonly by: 'test' | 'change';
}

/** A secret that was rotated away ends soon, or has ended while no worker ran. Once per rotation. */
export interface DataSinkSecretExpiring extends DataSinkEvent {
  /** From then on pushes are signed with its successor alone. */
  readonly expiresAt: Date;
}

/** Each event's name and what its listeners are given. */
export interface DataSinkEvents {
  readonly DataSinkPushDelivered: DataSinkPushDelivered;
  readonly DataSinkPushFailed: DataSinkPushFailed;
  readonly DataSinkDisabled: DataSinkDisabled;
  readonly DataSinkReactivated: DataSinkReactivated;
  readonly DataSinkSecretExpiring: DataSinkSecretExpiring;
}
