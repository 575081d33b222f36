import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import { partOf, partText } from '../core/payload-recipe.js';
import type { PushExchange } from '../egress/push-exchange.js';
import type { AttemptClosing } from '../persistence/attempt-log.js';
import type { Unfinished } from './attempt-closing.js';

/** The one log line of an attempt. Ids, numbers and codes only: no secret, no payload, no answer of a receiver's. */
export function attemptLogLine(
  delivery: ClaimedDelivery,
  closing: AttemptClosing,
  exchange: PushExchange | Unfinished,
  recorded: boolean,
): Readonly<Record<string, string | number | boolean | null>> {
  const part = partOf(delivery.recipe);
  const detail = 'code' in exchange ? exchange.detail : exchange.operatorDetail;
  return {
    event: 'delivery.attempted',
    deliveryId: delivery.id,
    attemptId: closing.opened.attemptId,
    attemptNumber: closing.opened.attemptNumber,
    dataSourceId: delivery.dataSourceId,
    workspaceId: delivery.workspaceId,
    jobId: delivery.jobId,
    ...(part && { part: partText(part) }),
    trigger: delivery.trigger,
    status: closing.status,
    errorCode: closing.errorCode,
    httpStatus: closing.httpStatus,
    durationMs: closing.timings.totalMs,
    deliveryStatus: closing.plan.status,
    nextAttemptInMs: closing.plan.waitMs,
    // False when the lease was taken meanwhile or the database stayed away: the row says or will say ABANDONED, and this
    // line is all there is of the result.
    recorded,
    ...(detail !== null && { detail }),
  };
}
