import type { EventLogger } from '../core/outage-log.js';
import type { Ending, LeaseHolder, Release } from '../persistence/lease-keeping.js';

/** What became of a delivery that was not posted. */
export type NotPosted = { readonly ending: Ending } | { readonly release: Release };

/** While another worker makes a body, look again after so long. */
const BODY_WAIT_MS = 500;

/**
 * What to do with a delivery that could not be prepared, by what was thrown.
 * @param ownFailureWaitMs how long it waits when our own side failed
 */
export function notPosted(
  { id, leaseToken }: LeaseHolder,
  error: unknown,
  ownFailureWaitMs: () => number,
  logger: Pick<EventLogger, 'error'>,
): NotPosted {
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
      logger.error({ event: 'delivery.results_invalid', deliveryId: id, error: String(error) });
      return { ending: { id, leaseToken, status: 'FAILED', reason: 'results_invalid' } };
    case 'payload_being_built':
      return { release: { id, leaseToken, waitMs: BODY_WAIT_MS, ownFailure: false } };
    default: {
      const waitMs = ownFailureWaitMs();
      logger.error({ event: 'delivery.not_prepared', deliveryId: id, retryInMs: waitMs, error: String(error) });
      return { release: { id, leaseToken, waitMs, ownFailure: true } };
    }
  }
}
