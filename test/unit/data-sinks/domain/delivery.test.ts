import { describe, expect, it } from '@jest/globals';
import {
  DELIVERY_STATUSES,
  isSettled,
  planAfterAttempt,
  planAfterOwnFailure,
} from '../../../../src/data-sinks/domain/delivery.js';

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
    // A connection that had ended is nobody's failure, and there is nothing to wait for.
    ['RETRY_AT_ONCE', budget(0, 0), retrying(0, false)],
    ['RETRY_AT_ONCE', budget(2, 2, 7), retrying(0, false)],
    ['RETRY_FREE', budget(0, 0), retrying(5_000, false)],
    ['RETRY_FREE', budget(2, 2, 0), retrying(5_000, false)],
    ['RETRY_FREE', budget(2, 2, 1), retrying(30_000, false)],
    ['RETRY_FREE', budget(2, 2, 2), retrying(300_000, false)],
    ['RETRY_FREE', budget(2, 2, 1_000), retrying(300_000, false)],
  ] as const)('with verdict %s and budget %j: %j', (verdict, numbers, plan) => {
    expect(planAfterAttempt({ verdict, retryAfterMs: null }, numbers, 0)).toEqual(plan);
  });

  it('a delivery with two retries makes three attempts, after 5 and 30 seconds', () => {
    const waits: (number | null)[] = [];
    for (let retriesSpent = 0; ; retriesSpent++) {
      const plan = planAfterAttempt({ verdict: 'RETRY', retryAfterMs: null }, budget(2, retriesSpent), 0);
      waits.push(plan.waitMs);
      if (plan.status !== 'RETRYING') break;
    }
    expect(waits).toEqual([5_000, 30_000, null]);
  });

  it('the receiver’s Retry-After lengthens the wait', () => {
    const plan = planAfterAttempt({ verdict: 'RETRY', retryAfterMs: 60_000 }, budget(2, 0), 0);
    expect(plan).toEqual(retrying(60_000, true));
  });

  it('every kind of retry uses jitter and the operator’s schedule', () => {
    expect(planAfterAttempt({ verdict: 'RETRY', retryAfterMs: null }, budget(2, 0), 0.5, [1_000])).toEqual(
      retrying(1_050, true),
    );
    expect(planAfterOwnFailure({ ownFailures: 3 }, 0.5, [1_000])).toEqual(retrying(1_050, false));
  });
});

describe('a delivery', () => {
  it('is settled in every status that does not change by itself', () => {
    expect(DELIVERY_STATUSES.filter(isSettled)).toEqual(['DELIVERED', 'FAILED', 'CANCELLED']);
  });
});
