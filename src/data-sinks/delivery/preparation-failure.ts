import type { EventLog } from '../tools/event-log.js';
import type { Ending, LeaseHolder, Release } from '../queue/lease.sql.js';

/** The next state of a delivery that was not sent. */
export type PreparationFailure = { readonly ending: Ending } | { readonly release: Release };

/** Delay before looking again while another worker builds the body. */
const BODY_WAIT_MS = 500;

/**
 * Maps an error during preparation to what happens to the delivery.
 * @param ownFailureWaitMs told of a failure of our own side; answers how long the delivery waits
 */
export function preparationFailure(
  { id, leaseToken }: LeaseHolder,
  error: unknown,
  ownFailureWaitMs: (error: unknown) => number,
  logger: Pick<EventLog, 'error'>,
): PreparationFailure {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'shutdown':
    case 'lease_lost':
      return { release: { id, leaseToken, waitMs: 0, ownFailure: false } };
    case 'results_missing':
      return { ending: { id, leaseToken, status: 'FAILED', reason: 'results_missing' } };
    case 'too_many_parts':
      return { ending: { id, leaseToken, status: 'FAILED', reason: 'too_many_parts' } };
    case 'parts_incomplete':
      return { ending: { id, leaseToken, status: 'FAILED', reason: 'parts_incomplete' } };
    case 'parts_under_way':
      return { release: { id, leaseToken, waitMs: null, ownFailure: false } };
    case 'results_invalid':
      logger.error({
        event: 'delivery.results_invalid',
        message: `the results for delivery ${id} are invalid, so nothing is sent`,
        ...{ deliveryId: id, error: String(error) },
      });
      return { ending: { id, leaseToken, status: 'FAILED', reason: 'results_invalid' } };
    case 'payload_being_built':
      return { release: { id, leaseToken, waitMs: BODY_WAIT_MS, ownFailure: false } };
    default:
      return { release: { id, leaseToken, waitMs: ownFailureWaitMs(error), ownFailure: true } };
  }
}
