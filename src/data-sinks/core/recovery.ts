import type { CancelReason } from './delivery.js';

export const RECOVERY_STATUSES = ['RUNNING', 'DONE', 'CANCELLED'] as const;
export type RecoveryStatus = (typeof RECOVERY_STATUSES)[number];

/**
 * Why a recovery was cancelled: somebody asked for it, or its deliveries would have ended so. A rule that is off is not
 * among them, since redeliveries are not bound by it.
 */
export const RECOVERY_REASONS = ['requested', 'sink_inactive', 'agent_inactive', 'plan_required'] as const;
export type RecoveryReason = (typeof RECOVERY_REASONS)[number];

/** One more try for all deliveries of a sink that failed within a time. */
export interface Recovery {
  /** `rcv_…` */
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly status: RecoveryStatus;
  /** Null unless it was cancelled. */
  readonly reason: RecoveryReason | null;
  /** Deliveries that failed at this time or later … */
  readonly since: Date;
  /** … and before this one, which is never later than when it was asked for: what fails again is not tried again. */
  readonly until: Date;
  /** Deliveries that had failed within this time when it was asked for. */
  readonly total: number;
  /** How many of them were made due so far. Those that somebody redelivers by hand meanwhile never are. */
  readonly redelivered: number;
  /** What became of those that were made due: they end in one of these, or wait. */
  readonly delivered: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly waiting: number;
  readonly requestedBy: { readonly type: string; readonly id: string };
  readonly createdAt: Date;
  /** When the last of those that were made due had ended. */
  readonly finishedAt: Date | null;
}

/**
 * How many of a recovery's deliveries wait or are in flight at once. Enough for its sink to have something to do between
 * two looks; few enough that a job that finishes meanwhile waits behind these alone, and that a receiver which is only
 * just back is not run over by all that it has missed.
 */
export function recoveryWindow(maxInFlightPerSink: number): number {
  return 4 * maxInFlightPerSink;
}

/** What the gate says of a recovery's deliveries, as the reason of the recovery. */
export function toRecoveryReason(verdict: CancelReason): RecoveryReason {
  if (verdict === 'auto_push_off') throw new Error('redeliveries are not bound by the auto-push rule');
  return verdict;
}
