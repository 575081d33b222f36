import { describe, expect, it } from '@jest/globals';
import { ATTEMPT_ERROR_CODES, ATTEMPT_STATUSES } from '../../../../src/data-sinks/domain/attempt.js';
import { classify, type ExchangeFailureCode, type Verdict } from '../../../../src/data-sinks/domain/attempt-outcome.js';
import { OPTIONALLY_RETRYABLE_STATUSES } from '../../../../src/data-sinks/domain/data-sink.js';

const answered = (httpStatus: number, retryAfterMs: number | null = null) =>
  ({ kind: 'answered', httpStatus, retryAfterMs }) as const;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('an attempt with a response', () => {
  it.each([
    ['2xx', range(200, 300), { status: 'SUCCEEDED', errorCode: null, verdict: 'DELIVERED', receiverDown: false }],
    [
      '3xx',
      range(300, 400),
      { status: 'HTTP_3XX', errorCode: 'redirect_refused', verdict: 'FINAL', receiverDown: false },
    ],
    [
      '4xx',
      range(400, 500),
      { status: 'HTTP_4XX', errorCode: 'rejected_by_receiver', verdict: 'FINAL', receiverDown: false },
    ],
    ['5xx', range(500, 600), { status: 'HTTP_5XX', errorCode: 'receiver_error', verdict: 'RETRY', receiverDown: true }],
  ])('with any %s has one meaning', (_class, statuses, expected) => {
    for (const httpStatus of statuses) {
      expect({ httpStatus, ...classify(answered(httpStatus)) }).toEqual({
        httpStatus,
        ...expected,
        retryAfterMs: null,
      });
    }
  });

  it.each([0, 99, 100, 101, 199, 600, 777, 999, -1])(
    'with status %i, outside the classes of an answer, is no HTTP',
    (status) => {
      expect(classify(answered(status))).toMatchObject({
        status: 'NETWORK_ERROR',
        errorCode: 'invalid_http_response',
        verdict: 'RETRY',
        retryAfterMs: null,
      });
    },
  );

  it.each(OPTIONALLY_RETRYABLE_STATUSES.map((status) => [status]))(
    'with %i is retried only when the sink names it',
    (status) => {
      expect(classify(answered(status)).verdict).toBe('FINAL');
      expect(classify(answered(status), [...OPTIONALLY_RETRYABLE_STATUSES])).toMatchObject({
        status: 'HTTP_4XX',
        errorCode: 'rejected_by_receiver',
        verdict: 'RETRY',
      });
      expect(classify(answered(404), [...OPTIONALLY_RETRYABLE_STATUSES]).verdict).toBe('FINAL');
    },
  );

  it('keeps the Retry-After of a 429 or a 503', () => {
    expect(classify(answered(503, 7_000)).retryAfterMs).toBe(7_000);
    expect(classify(answered(429, 7_000), [429]).retryAfterMs).toBe(7_000);
  });

  it('ignores the Retry-After of a response that is not retried', () => {
    expect(classify(answered(200, 7_000)).retryAfterMs).toBeNull();
    expect(classify(answered(301, 7_000)).retryAfterMs).toBeNull();
  });
});

/** Contract, section 7, written down a second time: DNS, refused, reset, cut handshake are retried; the rest is final. */
const FAILURES: Readonly<Record<ExchangeFailureCode, readonly [status: string, verdict: Verdict]>> = {
  dns_timeout: ['TIMEOUT', 'RETRY'],
  connect_timeout: ['TIMEOUT', 'RETRY'],
  tls_timeout: ['TIMEOUT', 'RETRY'],
  upload_stalled: ['TIMEOUT', 'RETRY'],
  response_timeout: ['TIMEOUT', 'RETRY'],
  dns_not_found: ['NETWORK_ERROR', 'RETRY'],
  connection_refused: ['NETWORK_ERROR', 'RETRY'],
  connection_reset: ['NETWORK_ERROR', 'RETRY'],
  stale_connection: ['NETWORK_ERROR', 'RETRY_AT_ONCE'],
  host_unreachable: ['NETWORK_ERROR', 'RETRY'],
  upload_aborted_by_peer: ['NETWORK_ERROR', 'RETRY'],
  invalid_http_response: ['NETWORK_ERROR', 'RETRY'],
  response_headers_too_large: ['NETWORK_ERROR', 'RETRY'],
  network_error: ['NETWORK_ERROR', 'RETRY'],
  tls_handshake_cut: ['TLS_ERROR', 'RETRY'],
  resolver_unavailable: ['NETWORK_ERROR', 'RETRY_FREE'],
  tls_certificate_expired: ['TLS_ERROR', 'FINAL'],
  tls_wrong_host: ['TLS_ERROR', 'FINAL'],
  tls_self_signed: ['TLS_ERROR', 'FINAL'],
  tls_untrusted_certificate: ['TLS_ERROR', 'FINAL'],
  tls_old_protocol: ['TLS_ERROR', 'FINAL'],
  tls_error: ['TLS_ERROR', 'FINAL'],
  url_refused: ['BLOCKED', 'FINAL'],
  address_refused: ['BLOCKED', 'FINAL'],
};
const failures = Object.entries(FAILURES) as [ExchangeFailureCode, readonly [string, Verdict]][];

describe('an attempt without an answer', () => {
  it.each(failures)(
    'that failed with %s finds the receiver down when its status says so and a retry is spent',
    (errorCode, [status, verdict]) => {
      const down = ['TIMEOUT', 'NETWORK_ERROR'].includes(status) && verdict === 'RETRY';
      expect(classify({ kind: 'failed', errorCode }).receiverDown).toBe(down);
    },
  );

  it.each(failures)('that failed with %s is %j', (errorCode, [status, verdict]) => {
    expect(classify({ kind: 'failed', errorCode }, [408, 425, 429])).toMatchObject({
      status,
      errorCode,
      verdict,
      retryAfterMs: null,
    });
  });

  it('has only these codes, those of responses and those of our own process', () => {
    const others = [
      'rejected_by_receiver',
      'receiver_error',
      'redirect_refused',
      'worker_lost',
      'shutdown',
      'internal_error',
    ];
    const OF_BUCKETS = /^(bucket_|object_|role_)|^(body_damaged|clock_skewed|condition_ignored)$/;
    others.push(...ATTEMPT_ERROR_CODES.filter((code) => OF_BUCKETS.test(code)));
    expect([...Object.keys(FAILURES), ...others].sort()).toEqual([...ATTEMPT_ERROR_CODES].sort());
  });

  it('covers every attempt status except those of an open and an abandoned row', () => {
    const reached = new Set([
      ...failures.map(([errorCode]) => classify({ kind: 'failed', errorCode }).status),
      ...[200, 300, 400, 500].map((status) => classify(answered(status)).status),
    ]);
    expect([...reached, 'IN_FLIGHT', 'ABANDONED'].sort()).toEqual([...ATTEMPT_STATUSES].sort());
  });
});
