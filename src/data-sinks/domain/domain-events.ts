import type { AttemptErrorCode, AttemptStatus } from './attempt.js';
import type { DisabledReason } from './data-sink.js';
import type { DeliveryTrigger } from './trigger.js';
import type { DeliveryReason } from './delivery.js';
import type { PushPart } from './body/payload-recipe.js';

/**
 * Events emitted on the host's EventEmitter2 after the database has committed the change. Delivered at most once: if
 * the process dies in between, the event is lost, and the database holds the truth. Never contains a secret, a payload
 * or response text.
 */
export const DATA_SINK_EVENTS = {
  pushDelivered: 'DataSinkPushDelivered',
  pushFailed: 'DataSinkPushFailed',
  pushCancelled: 'DataSinkPushCancelled',
  disabled: 'DataSinkDisabled',
  reactivated: 'DataSinkReactivated',
  secretExpiring: 'DataSinkSecretExpiring',
} as const;
export type DataSinkEventName = (typeof DATA_SINK_EVENTS)[keyof typeof DATA_SINK_EVENTS];

/** The sink of an event. */
export interface DataSinkEvent {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
}

/** The delivery of an event. */
export interface DataSinkPushEvent extends DataSinkEvent {
  readonly deliveryId: string;
  readonly jobId: string;
  /** Which completion of the job, from 1. */
  readonly run: number;
  readonly trigger: DeliveryTrigger;
  /** Which part of the job it carries; null when the job is pushed as one body. */
  readonly part: PushPart | null;
  /** Attempts so far, including those before a redelivery. */
  readonly attempts: number;
}

/** The receiver answered 2xx. */
export interface DataSinkPushDelivered extends DataSinkPushEvent {
  readonly httpStatus: number;
}

/** A delivery ended `FAILED`. It is not sent again unless someone redelivers it. */
export interface DataSinkPushFailed extends DataSinkPushEvent {
  readonly reason: DeliveryReason;
  /** Of the last attempt; null when no attempt was made. */
  readonly lastAttemptStatus: AttemptStatus | null;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
}

/** A delivery ended `CANCELLED`: nothing may be sent any more, or somebody asked for it (`requested`). */
export interface DataSinkPushCancelled extends DataSinkPushEvent {
  readonly reason: DeliveryReason;
}

/** A sink was disabled after repeated failures. Its deliveries wait. */
export interface DataSinkDisabled extends DataSinkEvent {
  readonly reason: DisabledReason;
  /** Failed deliveries within the window. */
  readonly failedDeliveries: number;
}

/** A disabled sink is active again. Its waiting deliveries are sent. */
export interface DataSinkReactivated extends DataSinkEvent {
  /** `test`: a Test passed. `change`: its status was set to `ACTIVE`. */
  readonly by: 'test' | 'change';
}

/** The overlap of a rotated secret ends soon, or ended while no worker ran. Emitted once per rotation. */
export interface DataSinkSecretExpiring extends DataSinkEvent {
  /** From then on, only the new secret signs pushes. */
  readonly expiresAt: Date;
}

/** Maps each event name to its payload. */
export interface DataSinkEvents {
  readonly DataSinkPushDelivered: DataSinkPushDelivered;
  readonly DataSinkPushFailed: DataSinkPushFailed;
  readonly DataSinkPushCancelled: DataSinkPushCancelled;
  readonly DataSinkDisabled: DataSinkDisabled;
  readonly DataSinkReactivated: DataSinkReactivated;
  readonly DataSinkSecretExpiring: DataSinkSecretExpiring;
}
