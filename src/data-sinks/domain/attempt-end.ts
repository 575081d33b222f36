import type { AnswerEnding, AttemptErrorCode, AttemptStatus, AttemptTimings, ManifestEntry } from './attempt.js';
import type { ClaimedDelivery } from './claimed-delivery.js';
import type { DeliveryPlan } from './delivery.js';

/** The attempt row to be inserted. */
export interface OpenedAttempt {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly attemptNumber: number;
  /** The database's clock. Together with the id it is the row's key. */
  readonly startedAt: Date;
}

/** The delivery of an attempt, and how the attempt ended. */
export interface AttemptEnd {
  readonly delivery: ClaimedDelivery;
  readonly closing: AttemptClosing;
}

/** The end of an attempt and the next state of its delivery. */
export interface AttemptClosing {
  readonly opened: OpenedAttempt;
  readonly leaseToken: string;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  readonly timings: AttemptTimings;
  readonly answerExcerpt: string | null;
  readonly answerEnding: AnswerEnding | null;
  /** Undefined for a type of sink that writes no objects, and for an attempt that broke off. */
  readonly manifest?: readonly ManifestEntry[] | undefined;
  readonly plan: DeliveryPlan;
  /** Whether it found the receiver down. */
  readonly receiverDown: boolean;
  /** Whether our own side failed: counted, to space out what follows. */
  readonly ownFailure: boolean;
}
