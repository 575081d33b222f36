import type { AttemptErrorCode, AttemptStatus, BUCKET_ERROR_CODES, ROLE_ERROR_CODES } from './attempt.js';

/** Failures of an exchange: everything except an HTTP response. */
export type ExchangeFailureCode = Exclude<
  AttemptErrorCode,
  | 'rejected_by_receiver'
  | 'receiver_error'
  | 'redirect_refused'
  | 'worker_lost'
  | 'shutdown'
  | 'internal_error'
  | (typeof BUCKET_ERROR_CODES)[number]
  | (typeof ROLE_ERROR_CODES)[number]
>;

/** The result of one POST. */
export type ExchangeResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly retryAfterMs: number | null }
  | { readonly kind: 'failed'; readonly errorCode: ExchangeFailureCode };

/**
 * - `DELIVERED`: 2xx
 * - `RETRY`: may succeed later; uses one of the delivery's retries
 * - `RETRY_FREE`: our own failure; retried without using a retry
 * - `RETRY_AT_ONCE`: the peer had closed a reused connection; retried at once on a new one, without using a retry
 * - `FINAL`: a retry cannot help
 */
export type Verdict = 'DELIVERED' | 'RETRY' | 'RETRY_FREE' | 'RETRY_AT_ONCE' | 'FINAL';

export interface AttemptOutcome {
  readonly status: Exclude<AttemptStatus, 'IN_FLIGHT'>;
  readonly errorCode: AttemptErrorCode | null;
  readonly verdict: Verdict;
  /** The receiver's `Retry-After`; null when the response has none. */
  readonly retryAfterMs: number | null;
  /** Whether it tells of a receiver that is down, for which fresh deliveries had better wait. */
  readonly receiverDown: boolean;
}

type FailureRule = readonly [status: Exclude<AttemptStatus, 'IN_FLIGHT'>, verdict: Verdict];

/** One that says no, or that we may not reach, is not down; what fails on our side says nothing of it. */
function isDown(status: AttemptStatus, verdict: Verdict): boolean {
  return DOWN.has(status) && verdict !== 'RETRY_FREE' && verdict !== 'RETRY_AT_ONCE';
}

const DOWN: ReadonlySet<AttemptStatus> = new Set(['HTTP_5XX', 'TIMEOUT', 'NETWORK_ERROR']);

/** Contract, section 7: network failures are retried; a refused address and a bad certificate are final. */
const FAILURES: Readonly<Record<ExchangeFailureCode, FailureRule>> = {
  dns_timeout: ['TIMEOUT', 'RETRY'],
  connect_timeout: ['TIMEOUT', 'RETRY'],
  tls_timeout: ['TIMEOUT', 'RETRY'],
  upload_stalled: ['TIMEOUT', 'RETRY'],
  response_timeout: ['TIMEOUT', 'RETRY'],
  dns_not_found: ['NETWORK_ERROR', 'RETRY'],
  // A DNS resolver that does not respond is our failure, not the customer's.
  resolver_unavailable: ['NETWORK_ERROR', 'RETRY_FREE'],
  connection_refused: ['NETWORK_ERROR', 'RETRY'],
  connection_reset: ['NETWORK_ERROR', 'RETRY'],
  // At most one in a row: the next attempt opens a new connection.
  stale_connection: ['NETWORK_ERROR', 'RETRY_AT_ONCE'],
  host_unreachable: ['NETWORK_ERROR', 'RETRY'],
  upload_aborted_by_peer: ['NETWORK_ERROR', 'RETRY'],
  invalid_http_response: ['NETWORK_ERROR', 'RETRY'],
  response_headers_too_large: ['NETWORK_ERROR', 'RETRY'],
  network_error: ['NETWORK_ERROR', 'RETRY'],
  tls_handshake_cut: ['TLS_ERROR', 'RETRY'],
  tls_certificate_expired: ['TLS_ERROR', 'FINAL'],
  tls_wrong_host: ['TLS_ERROR', 'FINAL'],
  tls_self_signed: ['TLS_ERROR', 'FINAL'],
  tls_untrusted_certificate: ['TLS_ERROR', 'FINAL'],
  tls_old_protocol: ['TLS_ERROR', 'FINAL'],
  tls_error: ['TLS_ERROR', 'FINAL'],
  url_refused: ['BLOCKED', 'FINAL'],
  address_refused: ['BLOCKED', 'FINAL'],
};

/** An outcome in the order of the record. */
export function outcome(
  status: AttemptOutcome['status'],
  errorCode: AttemptErrorCode | null,
  verdict: Verdict,
  retryAfterMs: number | null,
): AttemptOutcome {
  return { status, errorCode, verdict, retryAfterMs, receiverDown: isDown(status, verdict) };
}

/**
 * Maps an exchange to an attempt status and a verdict (contract, section 7).
 * @param retryableStatuses the 4xx statuses for which this sink wants retries
 */
export function classify(result: ExchangeResult, retryableStatuses: readonly number[] = []): AttemptOutcome {
  if (result.kind === 'failed') {
    const [status, verdict] = FAILURES[result.errorCode];
    return outcome(status, result.errorCode, verdict, null);
  }
  const { httpStatus, retryAfterMs } = result;
  if (httpStatus >= 200 && httpStatus < 300) {
    return outcome('SUCCEEDED', null, 'DELIVERED', null);
  }
  if (httpStatus >= 300 && httpStatus < 400) {
    return outcome('HTTP_3XX', 'redirect_refused', 'FINAL', null);
  }
  if (httpStatus >= 400 && httpStatus < 500) {
    const verdict = retryableStatuses.includes(httpStatus) ? 'RETRY' : 'FINAL';
    return outcome('HTTP_4XX', 'rejected_by_receiver', verdict, retryAfterMs);
  }
  if (httpStatus >= 500 && httpStatus < 600) {
    return outcome('HTTP_5XX', 'receiver_error', 'RETRY', retryAfterMs);
  }
  // A status outside 100-599 is not a valid response.
  return classify({ kind: 'failed', errorCode: 'invalid_http_response' });
}
