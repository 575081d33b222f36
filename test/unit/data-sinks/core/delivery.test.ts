import { describe, expect, it } from '@jest/globals';
import {
  DELIVERY_STATUSES,
  isSettled,
  MAX_COUNTED_OWN_FAILURES,
  planAfterAttempt,
  planAfterOwnFailure,
} from '../../../../src/data-sinks/core/delivery.js';

const budget = (retriesAllowed: number, retriesSpent: number, ownFailures = 0) => ({
  retriesAllowed,
  retriesSpent,
  ownFailures,
});
const delivered = { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false };
const failed = (reason: string) => ({ status: 'FAILED', reason, waitMs: null, spendsRetry: false });
const retrying = (waitMs: number, spendsRetry: boolean) => ({ status: 'RETRYING', reason: null, waitMs, spendsRetry });

describe('after an attempt', () => {
  it.each([
    ['DELIVERED', budget(2, 0), delivered],
    ['DELIVERED', budget(0, 0), delivered],
    ['DELIVERED', budget(2, 2, 9), delivered],
    ['FINAL', budget(2, 0), failed('not_retryable')],
    ['FINAL', budget(10, 0), failed('not_retryable')],
    ['FINAL', budget(2, 2), failed('not_retryable')],
    ['RETRY', budget(0, 0), failed('retries_exhausted')],
    ['RETRY', budget(1, 0), retrying(5_000, true)],
    ['RETRY', budget(1, 1), failed('retries_exhausted')],
    ['RETRY', budget(2, 0), retrying(5_000, true)],
    ['RETRY', budget(2, 1), retrying(30_000, true)],
    ['RETRY', budget(2, 2), failed('retries_exhausted')],
    ['RETRY', budget(10, 2), retrying(300_000, true)],
    ['RETRY', budget(10, 9), retrying(300_000, true)],
    ['RETRY', budget(10, 10), failed('retries_exhausted')],
    ['RETRY', budget(2, 3), failed('retries_exhausted')],
    // Failures of our own neither spend the customer's retries nor shift their schedule.
    ['RETRY', budget(2, 0, 7), retrying(5_000, true)],
    ['RETRY_FREE', budget(0, 0), retrying(5_000, false)],
    ['RETRY_FREE', budget(2, 2, 0), retrying(5_000, false)],
    ['RETRY_FREE', budget(2, 2, 1), retrying(30_000, false)],
    ['RETRY_FREE', budget(2, 2, 2), retrying(300_000, false)],
    ['RETRY_FREE', budget(2, 2, 1_000), retrying(300_000, false)],
  ] as const)('with verdict %s and budget %j: %j', (verdict, numbers, plan) => {
    expect(planAfterAttempt({ verdict, errorCode: null, retryAfterMs: null }, numbers, 0)).toEqual(plan);
  });

  it('a delivery with two retries makes three attempts, after 5 and 30 seconds', () => {
    const waits: (number | null)[] = [];
    for (let retriesSpent = 0; ; retriesSpent++) {
      const plan = planAfterAttempt(
        { verdict: 'RETRY', errorCode: null, retryAfterMs: null },
        budget(2, retriesSpent),
        0,
      );
      waits.push(plan.waitMs);
      if (plan.status !== 'RETRYING') break;
    }
    expect(waits).toEqual([5_000, 30_000, null]);
  });

  it('the receiver’s Retry-After lengthens the wait', () => {
    const plan = planAfterAttempt({ verdict: 'RETRY', errorCode: null, retryAfterMs: 60_000 }, budget(2, 0), 0);
    expect(plan).toEqual(retrying(60_000, true));
  });

  it('jitter and the operator’s schedule are used for every kind of retry', () => {
    expect(
      planAfterAttempt({ verdict: 'RETRY', errorCode: null, retryAfterMs: null }, budget(2, 0), 0.5, [1_000]),
    ).toEqual(retrying(1_050, true));
    expect(planAfterOwnFailure({ ownFailures: 3 }, 0.5, [1_000])).toEqual(retrying(1_050, false));
  });
});

describe('our resolver gives no answer about one name', () => {
  const after = (ownFailures: number, errorCode: 'resolver_unavailable' | 'internal_error', waitsMs?: number[]) =>
    planAfterAttempt({ verdict: 'RETRY_FREE', errorCode, retryAfterMs: null }, budget(2, 0, ownFailures), 0, waitsMs);

  it('costs nothing for an hour of waiting, and spends retries from then on', () => {
    expect(after(13, 'resolver_unavailable')).toEqual(retrying(300_000, false));
    expect(after(14, 'resolver_unavailable')).toEqual(retrying(300_000, true));
    expect(after(15, 'resolver_unavailable')).toEqual(retrying(300_000, true));
  });

  it('so that its delivery ends', () => {
    let numbers = budget(2, 0);
    let waitedMs = 0;
    for (let attempts = 1; ; attempts++) {
      const outcome = { verdict: 'RETRY_FREE', errorCode: 'resolver_unavailable', retryAfterMs: null } as const;
      const plan = planAfterAttempt(outcome, numbers, 0);
      if (plan.status !== 'RETRYING') {
        expect([plan, attempts]).toEqual([failed('retries_exhausted'), 17]);
        break;
      }
      waitedMs += plan.waitMs;
      numbers = budget(2, numbers.retriesSpent + Number(plan.spendsRetry), numbers.ownFailures + 1);
    }
    expect(waitedMs).toBe(4_235_000);
  });

  it('goes by the operator’s schedule, as far as failures are counted', () => {
    expect(after(59, 'resolver_unavailable', [60_000])).toEqual(retrying(60_000, false));
    expect(after(60, 'resolver_unavailable', [60_000])).toEqual(retrying(60_000, true));
    expect(after(999, 'resolver_unavailable', [1_000])).toEqual(retrying(1_000, false));
    expect(after(MAX_COUNTED_OWN_FAILURES, 'resolver_unavailable', [1_000])).toEqual(retrying(1_000, true));
  });

  it('is the only failure of our own that can be the customer’s after all', () => {
    expect(after(MAX_COUNTED_OWN_FAILURES, 'internal_error')).toEqual(retrying(300_000, false));
  });
});

describe('a delivery', () => {
  it('is settled when nothing more will happen to it by itself', () => {
    expect(DELIVERY_STATUSES.filter(isSettled)).toEqual(['DELIVERED', 'FAILED', 'CANCELLED']);
  });
});
