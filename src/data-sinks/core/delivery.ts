import type { AttemptOutcome, Verdict } from './attempt-outcome.js';
import { retryWaitMs } from './backoff-schedule.js';
import type { AttemptErrorCode, AttemptStatus } from './attempt.js';
import type { PayloadRecipe } from './payload-recipe.js';

export const DELIVERY_STATUSES = ['PENDING', 'IN_FLIGHT', 'RETRYING', 'DELIVERED', 'FAILED', 'CANCELLED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const SETTLED_STATUSES = ['DELIVERED', 'FAILED', 'CANCELLED'] as const satisfies readonly DeliveryStatus[];
export type SettledStatus = (typeof SETTLED_STATUSES)[number];

export const DELIVERY_TRIGGERS = ['AUTO', 'MANUAL', 'REDELIVERY'] as const;
export type DeliveryTrigger = (typeof DELIVERY_TRIGGERS)[number];

/** Why a delivery ended without being delivered. */
export const DELIVERY_REASONS = [
  'plan_required',
  'agent_inactive',
  'auto_push_off',
  'sink_inactive',
  'not_retryable',
  'retries_exhausted',
  'results_missing',
  'results_invalid',
  'too_many_parts',
  'parts_incomplete',
  'abandoned_too_often',
] as const;
export type DeliveryReason = (typeof DELIVERY_REASONS)[number];
export type CancelReason = Extract<
  DeliveryReason,
  'plan_required' | 'agent_inactive' | 'auto_push_off' | 'sink_inactive'
>;

/** One job × one sink, or one part of it, until settled. */
export interface Delivery {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly run: number;
  /** How its body is made, whatever its sink says by now. */
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

/** What is known of the body once it was made. */
export interface DeliveredPayload {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
}

/** The body as it was sent last. */
export interface SentPayload extends DeliveredPayload {
  /** Whether the first one had expired or was erased, and this one was made again from the host's results. */
  readonly rebuilt: boolean;
  /** Whether it has the SHA-256 of the one before; null when it was made once. */
  readonly sameAsBefore: boolean | null;
}

export function isSettled(status: DeliveryStatus): status is SettledStatus {
  return (SETTLED_STATUSES as readonly DeliveryStatus[]).includes(status);
}

/** What becomes of a delivery after an attempt. */
export type DeliveryPlan =
  | { readonly status: 'DELIVERED'; readonly reason: null; readonly waitMs: null; readonly spendsRetry: false }
  | { readonly status: 'FAILED'; readonly reason: DeliveryReason; readonly waitMs: null; readonly spendsRetry: false }
  | { readonly status: 'RETRYING'; readonly reason: null; readonly waitMs: number; readonly spendsRetry: boolean };

/** A delivery's numbers when an attempt ends. */
export interface RetryBudget {
  readonly retriesAllowed: number;
  readonly retriesSpent: number;
  /** Failures of our own side in a row, this one not counted. */
  readonly ownFailures: number;
}

/**
 * Plans the next step after an attempt (contract, section 7).
 * @param random in [0, 1), for the jitter
 * @param waitsMs the backoff schedule in force
 */
export function planAfterAttempt(
  outcome: Pick<AttemptOutcome, 'errorCode' | 'retryAfterMs'> & { readonly verdict: Verdict },
  budget: RetryBudget,
  random: number,
  waitsMs?: readonly number[],
): DeliveryPlan {
  switch (outcome.verdict) {
    case 'DELIVERED':
      return { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false };
    case 'FINAL':
      return { status: 'FAILED', reason: 'not_retryable', waitMs: null, spendsRetry: false };
    case 'RETRY_FREE': {
      const free = planAfterOwnFailure(budget, random, waitsMs);
      return isTheNamesByNow(outcome.errorCode, budget, waitsMs) ? spendRetry(budget, free.waitMs) : free;
    }
    case 'RETRY':
      return spendRetry(budget, retryWaitMs(budget.retriesSpent + 1, random, outcome.retryAfterMs, waitsMs));
  }
}

function spendRetry({ retriesSpent, retriesAllowed }: RetryBudget, waitMs: number): DeliveryPlan {
  if (retriesSpent >= retriesAllowed) {
    return { status: 'FAILED', reason: 'retries_exhausted', waitMs: null, spendsRetry: false };
  }
  return { status: 'RETRYING', reason: null, waitMs, spendsRetry: true };
}

/** So long a delivery waits for a resolver of ours that gives no answer about its endpoint's name. */
const RESOLVER_BELIEVED_DOWN_MS = 3_600_000;

/** As far as failures of our own side in a row are counted. */
export const MAX_COUNTED_OWN_FAILURES = 1_000;

/**
 * Whether a failure of our resolver is taken for one of the endpoint's name after all. The two look alike, and where no
 * other name is looked up nothing tells them apart (`LookupRecord`). A resolver that is down is noticed and repaired; a
 * name whose servers are broken may stay so for ever, and its delivery would never end and tell nobody. So it is ours for
 * an hour of waiting, counted in failures of our own side in a row, and spends retries from then on.
 */
function isTheNamesByNow(
  errorCode: AttemptErrorCode | null,
  { ownFailures }: Pick<RetryBudget, 'ownFailures'>,
  waitsMs?: readonly number[],
): boolean {
  if (errorCode !== 'resolver_unavailable') return false;
  let waitedMs = 0;
  for (let failure = 1; failure <= ownFailures; failure++) waitedMs += retryWaitMs(failure, 0, null, waitsMs);
  return waitedMs >= RESOLVER_BELIEVED_DOWN_MS || ownFailures >= MAX_COUNTED_OWN_FAILURES;
}

/**
 * Our own side failed (vault, database, resolver, the host's ports): the customer's retries stay as they were, and the
 * wait grows with the schedule so that a long outage of ours is not a busy loop.
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
