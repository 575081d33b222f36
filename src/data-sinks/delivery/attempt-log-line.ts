import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import { partOf, partText } from '../domain/body/payload-recipe.js';
import type { SendReport } from '../destinations/destination.js';
import type { AttemptClosing } from '../domain/attempt-end.js';
import type { LogFields } from '../tools/log-line.js';
import type { Unfinished } from './attempt-closing.js';

/** The log line of an attempt. Ids, numbers and codes only: no secret, payload or response text. */
export function attemptLogLine(
  delivery: ClaimedDelivery,
  closing: AttemptClosing,
  exchange: SendReport | Unfinished,
  recorded: boolean,
): LogFields {
  const part = partOf(delivery.recipe);
  const detail = 'code' in exchange ? exchange.detail : exchange.operatorDetail;
  return {
    event: 'delivery.attempted',
    message: `attempt ${closing.opened.attemptNumber} of delivery ${delivery.id} ended ${closing.status}`,
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
    // False when the lease was lost or the database stayed unavailable: the row is or will be ABANDONED, and this line
    // is the only trace of the result.
    recorded,
    ...(detail !== null && { detail }),
  };
}
