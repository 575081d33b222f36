import { describe, expect, it } from '@jest/globals';
import { adviceOn, ATTEMPT_ADVICE, EXCHANGE_STEPS } from '../../../../src/data-sinks/core/attempt-advice.js';
import { ATTEMPT_ERROR_CODES } from '../../../../src/data-sinks/core/attempt.js';

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

  it('is there for every code and for no other', () => {
    expect(Object.keys(ATTEMPT_ADVICE).sort()).toEqual([...ATTEMPT_ERROR_CODES].sort());
  });

  it('says the same for every refused address, so that it maps nobody’s network', () => {
    expect(ATTEMPT_ERROR_CODES.filter((code) => ATTEMPT_ADVICE[code].step === 'address')).toEqual(['address_refused']);
  });

  it('on a 413 tells the size that was refused, and what makes bodies smaller', () => {
    const { step, advice } = adviceOn('rejected_by_receiver', { httpStatus: 413, bytes: 3_745_120 });
    expect(step).toBe('response');
    expect(advice).toContain('a body of 3,745,120 bytes');
    expect(advice).toMatch(/config\.maxRowsPerPush.*config\.compression/);
  });

  it('on any other answer is that of its code', () => {
    for (const httpStatus of [400, 422, null]) {
      expect(adviceOn('rejected_by_receiver', { httpStatus, bytes: 1 })).toBe(ATTEMPT_ADVICE.rejected_by_receiver);
    }
  });

  it('promises that what was our fault costs no retry', () => {
    const ours = ATTEMPT_ERROR_CODES.filter((code) => ATTEMPT_ADVICE[code].step === 'ours');
    expect(ours).toEqual(['resolver_unavailable', 'worker_lost', 'shutdown', 'internal_error']);
    for (const code of ours) expect(ATTEMPT_ADVICE[code].advice).toMatch(/costs you no retry/);
  });
});
