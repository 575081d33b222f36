import type { AttemptOutcome } from '../domain/attempt-outcome.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import type { DeliveryPlan } from '../domain/delivery.js';
import type { SendReport } from '../destinations/destination.js';
import type { AttemptClosing } from '../domain/attempt-end.js';
import type { OpenedAttempt } from '../domain/attempt-end.js';
import type { TracedExchange } from '../telemetry/exchange-span.js';

/** A request that we aborted. */
export interface Unfinished {
  readonly code: 'shutdown' | 'lease_lost' | 'internal_error';
  /** For logs only. */
  readonly detail: string;
}

/** What an exchange, or its being broken off, means for the delivery. */
export function outcomeOf(exchange: SendReport | Unfinished): AttemptOutcome {
  if (!('code' in exchange)) return exchange.outcome;
  const errorCode = exchange.code === 'lease_lost' ? 'worker_lost' : exchange.code;
  return { status: 'ABANDONED', errorCode, verdict: 'RETRY_FREE', retryAfterMs: null, receiverDown: false };
}

const NO_TIMINGS = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 0 };

/** The values to be written. */
export function toClosing(
  delivery: ClaimedDelivery,
  opened: OpenedAttempt,
  exchange: SendReport | Unfinished,
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
    manifest: answered?.manifest,
    plan,
    receiverDown: outcome.receiverDown,
    ownFailure: outcome.verdict === 'RETRY_FREE',
  };
}

/** The attributes of its span. */
export function tracedExchange(
  { workspaceId, id: deliveryId, dataSourceId, jobId }: ClaimedDelivery,
  { opened: { attemptNumber }, status, errorCode, httpStatus, timings: { totalMs } }: AttemptClosing,
): TracedExchange {
  return { workspaceId, deliveryId, dataSourceId, jobId, attemptNumber, status, errorCode, httpStatus, totalMs };
}
