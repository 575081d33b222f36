import type { AttemptErrorCode, AttemptStatus } from './attempt.js';

/** Failures of an exchange: everything that is not an HTTP answer. */
export type ExchangeFailureCode = Exclude<
  AttemptErrorCode,
  'rejected_by_receiver' | 'receiver_error' | 'redirect_refused' | 'worker_lost' | 'shutdown' | 'internal_error'
>;

/** What came of one POST. */
export type ExchangeResult =
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly retryAfterMs: number | null }
  | { readonly kind: 'failed'; readonly errorCode: ExchangeFailureCode };

/**
 * - `DELIVERED`: 2xx
 * - `RETRY`: may succeed later; spends one of the delivery's retries
 * - `RETRY_FREE`: our own side failed; tried again without spending a retry
 * - `FINAL`: retrying cannot help
 */
export type Verdict = 'DELIVERED' | 'RETRY' | 'RETRY_FREE' | 'FINAL';

export interface AttemptOutcome {
  readonly status: Exclude<AttemptStatus, 'IN_FLIGHT'>;
  readonly errorCode: AttemptErrorCode | null;
  readonly verdict: Verdict;
  /** What the receiver asked for with `Retry-After`; null when it did not. */
  readonly retryAfterMs: number | null;
}

type FailureRule = readonly [status: Exclude<AttemptStatus, 'IN_FLIGHT'>, verdict: Verdict];

/** Contract, section 7: network failures are retried; a refused address and a bad certificate are final. */
const FAILURES: Readonly<Record<ExchangeFailureCode, FailureRule>> = {
  dns_timeout: ['TIMEOUT', 'RETRY'],
  connect_timeout: ['TIMEOUT', 'RETRY'],
  tls_timeout: ['TIMEOUT', 'RETRY'],
  upload_stalled: ['TIMEOUT', 'RETRY'],
  response_timeout: ['TIMEOUT', 'RETRY'],
  dns_not_found: ['NETWORK_ERROR', 'RETRY'],
  // A resolver that does not answer is ours, not the customer's.
  resolver_unavailable: ['NETWORK_ERROR', 'RETRY_FREE'],
  connection_refused: ['NETWORK_ERROR', 'RETRY'],
  connection_reset: ['NETWORK_ERROR', 'RETRY'],
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

/**
 * Decides what an exchange means (contract, section 7).
 * @param retryableStatuses the 4xx statuses that this sink wants retried
 */
export function classify(result: ExchangeResult, retryableStatuses: readonly number[] = []): AttemptOutcome {
  if (result.kind === 'failed') {
    const [status, verdict] = FAILURES[result.errorCode];
    return { status, errorCode: result.errorCode, verdict, retryAfterMs: null };
  }
  const { httpStatus, retryAfterMs } = result;
  if (httpStatus >= 200 && httpStatus < 300) {
    return { status: 'SUCCEEDED', errorCode: null, verdict: 'DELIVERED', retryAfterMs: null };
  }
  if (httpStatus >= 300 && httpStatus < 400) {
    return { status: 'HTTP_3XX', errorCode: 'redirect_refused', verdict: 'FINAL', retryAfterMs: null };
  }
  if (httpStatus >= 400 && httpStatus < 500) {
    const verdict = retryableStatuses.includes(httpStatus) ? 'RETRY' : 'FINAL';
    return { status: 'HTTP_4XX', errorCode: 'rejected_by_receiver', verdict, retryAfterMs };
  }
  if (httpStatus >= 500 && httpStatus < 600) {
    return { status: 'HTTP_5XX', errorCode: 'receiver_error', verdict: 'RETRY', retryAfterMs };
  }
  // A status outside HTTP's five classes is no answer that anyone meant.
  return classify({ kind: 'failed', errorCode: 'invalid_http_response' });
}
