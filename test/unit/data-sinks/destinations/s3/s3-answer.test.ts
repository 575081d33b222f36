import { describe, expect, it } from '@jest/globals';
import { ATTEMPT_ADVICE } from '../../../../../src/data-sinks/domain/attempt-advice.js';
import { outcomeOf } from '../../../../../src/data-sinks/destinations/s3/s3-answer.js';
import type { PushExchange } from '../../../../../src/data-sinks/egress/index.js';

function answered(
  httpStatus: number,
  excerpt: string,
  headers: readonly (readonly [string, string])[] = [],
): PushExchange {
  return {
    result: { kind: 'answered', httpStatus, retryAfterMs: 7_000 },
    timings: { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: 1, waitMs: 1, totalMs: 2 },
    answer: { httpStatus, headers, excerpt, ending: 'complete' },
    remoteAddress: null,
    operatorDetail: null,
  };
}

const error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message><RequestId>r</RequestId></Error>`;

describe('what a store says', () => {
  it.each([
    [200, '', 'SUCCEEDED', null, 'DELIVERED'],
    [503, error('SlowDown'), 'HTTP_5XX', 'bucket_slow_down', 'RETRY'],
    [503, error('ServiceUnavailable'), 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [500, error('InternalError'), 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [400, error('RequestTimeout'), 'HTTP_4XX', 'upload_stalled', 'RETRY'],
    [403, error('RequestTimeTooSkewed'), 'HTTP_4XX', 'clock_skewed', 'RETRY_FREE'],
    [400, error('ExpiredToken'), 'HTTP_4XX', 'bucket_session_expired', 'RETRY'],
    [403, error('AccessDenied'), 'HTTP_4XX', 'bucket_access_denied', 'FINAL'],
    [403, error('InvalidAccessKeyId'), 'HTTP_4XX', 'bucket_keys_refused', 'FINAL'],
    [403, error('SignatureDoesNotMatch'), 'HTTP_4XX', 'bucket_keys_refused', 'FINAL'],
    [404, error('NoSuchBucket'), 'HTTP_4XX', 'bucket_not_found', 'FINAL'],
    [301, error('PermanentRedirect'), 'HTTP_3XX', 'bucket_in_other_region', 'FINAL'],
    [307, error('TemporaryRedirect'), 'HTTP_3XX', 'bucket_in_other_region', 'FINAL'],
    [400, error('AuthorizationHeaderMalformed'), 'HTTP_4XX', 'bucket_in_other_region', 'FINAL'],
    [409, error('ConditionalRequestConflict'), 'HTTP_4XX', 'bucket_conflict', 'RETRY'],
    [412, error('PreconditionFailed'), 'HTTP_4XX', 'object_exists', 'FINAL'],
    [412, '', 'HTTP_4XX', 'object_exists', 'FINAL'],
    [400, error('XAmzContentSHA256Mismatch'), 'HTTP_4XX', 'body_damaged', 'RETRY'],
    [501, error('NotImplemented'), 'HTTP_5XX', 'bucket_unsupported', 'FINAL'],
    [404, error('NoSuchUpload'), 'HTTP_4XX', 'bucket_upload_gone', 'RETRY'],
    [400, error('SomethingNew'), 'HTTP_4XX', 'rejected_by_receiver', 'FINAL'],
    [500, error('SomethingNew'), 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [301, '', 'HTTP_3XX', 'bucket_in_other_region', 'FINAL'],
    [403, '', 'HTTP_4XX', 'bucket_access_denied', 'FINAL'],
    [200, error('InternalError'), 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [200, error('SlowDown'), 'HTTP_5XX', 'bucket_slow_down', 'RETRY'],
    [200, error('SomethingNew'), 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [502, '<html><body><h1>502 Bad Gateway</h1></body></html>', 'HTTP_5XX', 'receiver_error', 'RETRY'],
    [403, '<html><title>Blocked by a firewall</title></html>', 'HTTP_4XX', 'bucket_access_denied', 'FINAL'],
  ] as const)('with %i %s is %s, %s: %s', (httpStatus, body, status, errorCode, verdict) => {
    expect(outcomeOf(answered(httpStatus, body))).toMatchObject({ status, errorCode, verdict });
    if (errorCode !== null) expect(ATTEMPT_ADVICE[errorCode].advice).toMatch(/\.$/);
  });

  it('keeps what it asked for with Retry-After where it is tried again', () => {
    expect(outcomeOf(answered(503, error('SlowDown'))).retryAfterMs).toBe(7_000);
    expect(outcomeOf(answered(403, error('AccessDenied'))).retryAfterMs).toBeNull();
  });

  it('expands no entity, and takes no longer for a bomb of them than for any text', () => {
    const bomb = `<!DOCTYPE b [<!ENTITY a "aaaa">${'<!ENTITY b "&a;&a;&a;&a;">'.repeat(300)}]><Error><Code>&b;</Code></Error>`;
    const begun = performance.now();
    expect(outcomeOf(answered(503, bomb))).toMatchObject({ errorCode: 'receiver_error', verdict: 'RETRY' });
    expect(outcomeOf(answered(503, '<Error><Code>'.repeat(2_000)))).toMatchObject({ verdict: 'RETRY' });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
