import type { CancelReason } from './delivery.js';

export const RECOVERY_STATUSES = ['RUNNING', 'DONE', 'CANCELLED'] as const;
export type RecoveryStatus = (typeof RECOVERY_STATUSES)[number];

/**
 * Why a recovery was cancelled: by request, or because the gate would have cancelled its deliveries. The auto-push rule
 * is not a reason, since it does not apply to redeliveries.
 */
export const RECOVERY_REASONS = ['requested', 'sink_inactive', 'agent_inactive', 'plan_required'] as const;
export type RecoveryReason = (typeof RECOVERY_REASONS)[number];

/** A preview of a recovery. */
export interface RecoverySurvey {
  /** The database's clock. */
  readonly now: Date;
  /** The requested time, at most the present. */
  readonly until: Date;
  /** Deliveries that failed in this period; counted up to the limit plus one. */
  readonly failed: number;
  /** If there are more than the limit: the time before which exactly the limit failed. Otherwise null. */
  readonly limitReachedAt: Date | null;
  /** The running recovery of this sink, or null. */
  readonly runningId: string | null;
}

/** Redelivers all deliveries of a sink that failed in a period. */
export interface Recovery {
  /** `rcv_…` */
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly status: RecoveryStatus;
  /** Null unless it was cancelled. */
  readonly reason: RecoveryReason | null;
  /** Includes deliveries that failed at this time or later … */
  readonly since: Date;
  /** … and before this time, which is at most the time of the request: a delivery that fails again is not retried. */
  readonly until: Date;
  /** Deliveries that had failed in this period at the time of the request. */
  readonly total: number;
  /** How many of them have been made due so far. A delivery that someone redelivers by hand is not counted. */
  readonly redelivered: number;
  /** Current states of the deliveries that were made due. */
  readonly delivered: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly waiting: number;
  readonly requestedBy: { readonly type: string; readonly id: string };
  readonly createdAt: Date;
  /** When the last of them settled. */
  readonly finishedAt: Date | null;
}

/**
 * Maximum number of a recovery's deliveries that wait or are in flight. Large enough to keep the sink busy between two
 * runs of the pacer; small enough that new jobs wait only behind these, and that a receiver which has just come back is
 * not overloaded.
 */
export function recoveryWindow(maxInFlightPerSink: number): number {
  return 4 * maxInFlightPerSink;
}

/** Maps the gate's verdict to the reason of a recovery. */
export function toRecoveryReason(verdict: CancelReason): RecoveryReason {
  if (verdict === 'auto_push_off') throw new Error('redeliveries are not bound by the auto-push rule');
  return verdict;
}
