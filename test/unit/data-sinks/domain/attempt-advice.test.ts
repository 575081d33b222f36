import { describe, expect, it } from '@jest/globals';
import { adviceOn, ATTEMPT_ADVICE, EXCHANGE_STEPS } from '../../../../src/data-sinks/domain/attempt-advice.js';
import { ATTEMPT_ERROR_CODES } from '../../../../src/data-sinks/domain/attempt.js';

describe('the advice on a failed attempt', () => {
  it.each(ATTEMPT_ERROR_CODES.map((code) => [code]))(
    'on %s is whole sentences that name a step and no address',
    (code) => {
      const { step, advice } = ATTEMPT_ADVICE[code];
      expect(EXCHANGE_STEPS).toContain(step);
      expect(advice).toMatch(/^[A-Z].{20,}\.$/);
      expect(advice).not.toMatch(
        /(\d+\.){3}|[\da-f]*::|localhost|127|169\.254|private|loopback|link-local|metadata|internal/i,
      );
    },
  );

  it.each([
    [403, '<html><head><title>403 Forbidden</title></head></html>', true],
    [406, 'ModSecurity: Access denied', true],
    [403, '{"error":"wrong signature"}', false],
    [404, '<title>403 Forbidden</title>', false],
    [403, null, false],
  ])('on a %d that says %j names a firewall: %s', (httpStatus, excerpt, isNamed) => {
    const { advice } = adviceOn('rejected_by_receiver', { httpStatus, bytes: 10, excerpt });
    expect(advice.includes('firewall')).toBe(isNamed);
  });

  it('exists for every error code and for no other', () => {
    expect(Object.keys(ATTEMPT_ADVICE).sort()).toEqual([...ATTEMPT_ERROR_CODES].sort());
  });

  it('is the same for every refused address, so that it does not reveal a network', () => {
    expect(ATTEMPT_ERROR_CODES.filter((code) => ATTEMPT_ADVICE[code].step === 'address')).toEqual(['address_refused']);
  });

  it('on a 413 names the refused size and how to make bodies smaller', () => {
    const { step, advice } = adviceOn('rejected_by_receiver', { httpStatus: 413, bytes: 3_745_120 });
    expect(step).toBe('response');
    expect(advice).toContain('a body of 3,745,120 bytes');
    expect(advice).toMatch(/config\.maxRowsPerPush.*config\.compression/);
  });

  it('on any other response is that of its code', () => {
    for (const httpStatus of [400, 422, null]) {
      expect(adviceOn('rejected_by_receiver', { httpStatus, bytes: 1 })).toBe(ATTEMPT_ADVICE.rejected_by_receiver);
    }
  });

  it('says that our own failures use no retry', () => {
    const ours = ATTEMPT_ERROR_CODES.filter((code) => ATTEMPT_ADVICE[code].step === 'ours');
    const ofRoles = ['role_throttled', 'role_service_unavailable', 'role_credentials_refused'];
    expect(ours).toEqual([
      ...['resolver_unavailable', 'worker_lost', 'shutdown', 'internal_error', 'clock_skewed'],
      ...ofRoles,
    ]);
    for (const code of ours) expect(ATTEMPT_ADVICE[code].advice).toMatch(/costs you no retry/);
  });
});
