import type { DeliveryTrigger } from './trigger.js';
import type { AttemptOutcome, Verdict } from './attempt-outcome.js';
import { retryWaitMs } from './retry-schedule.js';
import type { AttemptErrorCode, AttemptStatus } from './attempt.js';
import type { PayloadRecipe } from './body/payload-recipe.js';

export const DELIVERY_STATUSES = ['PENDING', 'IN_FLIGHT', 'RETRYING', 'DELIVERED', 'FAILED', 'CANCELLED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const SETTLED_STATUSES = ['DELIVERED', 'FAILED', 'CANCELLED'] as const satisfies readonly DeliveryStatus[];
export type SettledStatus = (typeof SETTLED_STATUSES)[number];

/** Why a delivery ended without being delivered. */
export const DELIVERY_REASONS = [
  'plan_required',
  'agent_inactive',
  'auto_push_off',
  'sink_inactive',
  'requested',
  'not_retryable',
  'retries_exhausted',
  'results_missing',
  'results_invalid',
  'too_many_parts',
  'parts_incomplete',
  'abandoned_too_often',
] as const;
export type DeliveryReason = (typeof DELIVERY_REASONS)[number];
/** Of the gate's. */
export type CancelReason = Extract<
  DeliveryReason,
  'plan_required' | 'agent_inactive' | 'auto_push_off' | 'sink_inactive'
>;

/** One job for one sink, or one part of it. */
export interface Delivery {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly run: number;
  /** The recipe of its body, fixed when the delivery is created. Later changes to the sink do not affect it. */
  readonly recipe: PayloadRecipe;
  readonly trigger: DeliveryTrigger;
  readonly status: DeliveryStatus;
  readonly reason: DeliveryReason | null;
  readonly attemptCount: number;
  readonly retriesAllowed: number;
  readonly retriesSpent: number;
  readonly nextAttemptAt: Date | null;
  readonly lastAttemptStatus: AttemptStatus | null;
  readonly lastErrorCode: AttemptErrorCode | null;
  readonly payload: SentPayload | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly settledAt: Date | null;
}

/** Facts about the body, once it has been built. */
export interface DeliveredPayload {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
}

/** The body of the most recent push. */
export interface SentPayload extends DeliveredPayload {
  /** Whether the body had expired or was erased, and was rebuilt from the host's results. */
  readonly rebuilt: boolean;
  /** Whether its SHA-256 equals that of the previous body; null when it was built once. */
  readonly sameAsBefore: boolean | null;
}

export function isSettled(status: DeliveryStatus): status is SettledStatus {
  return (SETTLED_STATUSES as readonly DeliveryStatus[]).includes(status);
}

/** The next state of a delivery after an attempt. */
export type DeliveryPlan =
  | { readonly status: 'DELIVERED'; readonly reason: null; readonly waitMs: null; readonly spendsRetry: false }
  | { readonly status: 'FAILED'; readonly reason: DeliveryReason; readonly waitMs: null; readonly spendsRetry: false }
  | { readonly status: 'RETRYING'; readonly reason: null; readonly waitMs: number; readonly spendsRetry: boolean };

/** The delivery's counters when an attempt ends. */
export interface RetryBudget {
  readonly retriesAllowed: number;
  readonly retriesSpent: number;
  /** Consecutive failures of our own, this one not counted. */
  readonly ownFailures: number;
}

/**
 * Plans the next step after an attempt (contract, section 7).
 * @param random in [0, 1), for the jitter
 * @param waitsMs the backoff schedule
 */
export function planAfterAttempt(
  outcome: Pick<AttemptOutcome, 'retryAfterMs'> & { readonly verdict: Verdict },
  budget: RetryBudget,
  random: number,
  waitsMs?: readonly number[],
): DeliveryPlan {
  switch (outcome.verdict) {
    case 'DELIVERED':
      return { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false };
    case 'FINAL':
      return { status: 'FAILED', reason: 'not_retryable', waitMs: null, spendsRetry: false };
    case 'RETRY_FREE':
      return planAfterOwnFailure(budget, random, waitsMs);
    case 'RETRY_AT_ONCE':
      return { status: 'RETRYING', reason: null, waitMs: 0, spendsRetry: false };
    case 'RETRY': {
      if (budget.retriesSpent >= budget.retriesAllowed) {
        return { status: 'FAILED', reason: 'retries_exhausted', waitMs: null, spendsRetry: false };
      }
      const waitMs = retryWaitMs(budget.retriesSpent + 1, random, outcome.retryAfterMs, waitsMs);
      return { status: 'RETRYING', reason: null, waitMs, spendsRetry: true };
    }
  }
}

/**
 * Plans the retry after a failure of our own (vault, database, resolver, a host's port). No retry is used, and the wait
 * grows with the schedule so that a long outage does not become a busy loop.
 */
export function planAfterOwnFailure(
  budget: Pick<RetryBudget, 'ownFailures'>,
  random: number,
  waitsMs?: readonly number[],
): Extract<DeliveryPlan, { status: 'RETRYING' }> {
  return {
    status: 'RETRYING',
    reason: null,
    waitMs: retryWaitMs(budget.ownFailures + 1, random, null, waitsMs),
    spendsRetry: false,
  };
}
