import { type AttemptOutcome, classify } from '../core/attempt-outcome.js';
import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DeliveryPlan } from '../core/delivery.js';
import type { PushExchange } from '../egress/push-exchange.js';
import type { AttemptClosing, OpenedAttempt } from '../persistence/attempt-log.js';
import type { TracedExchange } from '../telemetry/exchange-span.js';

/** A request that our own side broke off. */
export interface Unfinished {
  readonly code: 'shutdown' | 'lease_lost' | 'internal_error';
  /** For logs only. */
  readonly detail: string;
}

/** What an exchange, or its being broken off, means for the delivery. */
export function outcomeOf(exchange: PushExchange | Unfinished, retryable: readonly number[]): AttemptOutcome {
  if (!('code' in exchange)) return classify(exchange.result, retryable);
  const errorCode = exchange.code === 'lease_lost' ? 'worker_lost' : exchange.code;
  return { status: 'ABANDONED', errorCode, verdict: 'RETRY_FREE', retryAfterMs: null };
}

const NO_TIMINGS = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 0 };

/** What is written of it. */
export function toClosing(
  delivery: ClaimedDelivery,
  opened: OpenedAttempt,
  exchange: PushExchange | Unfinished,
  outcome: AttemptOutcome,
  plan: DeliveryPlan,
): AttemptClosing {
  const answered = 'code' in exchange ? null : exchange;
  return {
    opened,
    leaseToken: delivery.leaseToken,
    status: outcome.status,
    errorCode: outcome.errorCode,
    httpStatus: answered?.answer?.httpStatus ?? null,
    timings: answered?.timings ?? NO_TIMINGS,
    answerExcerpt: answered?.answer?.excerpt ?? null,
    answerEnding: answered?.answer?.ending ?? null,
    plan,
    ownFailure: outcome.verdict === 'RETRY_FREE',
  };
}

/** What its span tells of it. */
export function tracedExchange(
  { id: deliveryId, dataSourceId, jobId }: ClaimedDelivery,
  { opened: { attemptNumber }, status, errorCode, httpStatus, timings: { totalMs } }: AttemptClosing,
): TracedExchange {
  return { deliveryId, dataSourceId, jobId, attemptNumber, status, errorCode, httpStatus, totalMs };
}
