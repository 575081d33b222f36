import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_JITTER_SHARE,
  MAX_RETRY_AFTER_MS,
  parseRetryAfterMs,
  retryWaitMs,
} from '../../../../src/data-sinks/core/backoff-schedule.js';

const random = () => fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the wait before a retry', () => {
  it.each([
    [1, 5_000],
    [2, 30_000],
    [3, 300_000],
    [4, 300_000],
    [10, 300_000],
    [1_000, 300_000],
  ])('number %i is %i ms', (retryNumber, expected) => {
    expect(retryWaitMs(retryNumber, 0)).toBe(expected);
  });

  it('is made longer by jitter, never shorter, and by a tenth at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        random(),
        fc.option(fc.nat(10_000_000)),
        (retry, share, retryAfterMs) => {
          const bare = retryWaitMs(retry, 0, retryAfterMs);
          const wait = retryWaitMs(retry, share, retryAfterMs);
          return Number.isInteger(wait) && wait >= bare && wait <= bare * (1 + MAX_JITTER_SHARE);
        },
      ),
    );
  });

  it('is an hour at most by a receiver’s wish, jitter and all, but not by a plan of the host’s', () => {
    expect(retryWaitMs(1, 0.999, 86_400_000)).toBe(3_600_000);
    expect(retryWaitMs(1, 0.5, 3_500_000)).toBe(3_600_000);
    expect(retryWaitMs(1, 0.5, 1_000, [7_200_000])).toBe(7_560_000);
  });

  it('is spread over the whole tenth', () => {
    expect(retryWaitMs(1, 0.5)).toBe(5_250);
    expect(retryWaitMs(1, 0.999_999)).toBe(5_499);
  });

  it.each([
    ['longer than planned: the receiver’s', 1, 60_000, 60_000],
    ['shorter than planned: the plan’s', 2, 1_000, 30_000],
    ['nought: the plan’s', 1, 0, 5_000],
    ['negative: the plan’s', 1, -60_000, 5_000],
    ['over an hour: an hour', 1, 86_400_000, 3_600_000],
    ['without end: an hour', 3, Number.POSITIVE_INFINITY, 3_600_000],
  ])('with a Retry-After %s', (_what, retryNumber, retryAfterMs, expected) => {
    expect(retryWaitMs(retryNumber, 0, retryAfterMs)).toBe(expected);
  });

  it('is never shortened by a Retry-After', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer(), random(), (retry, retryAfterMs, share) => {
        return retryWaitMs(retry, share, retryAfterMs) >= retryWaitMs(retry, 0);
      }),
    );
  });

  it('follows a schedule of the operator’s, whose last entry repeats', () => {
    expect([1, 2, 3, 4].map((retry) => retryWaitMs(retry, 0, null, [10, 20]))).toEqual([10, 20, 20, 20]);
  });
});

describe('a Retry-After header', () => {
  const now = Date.UTC(2026, 4, 25, 12, 0, 0);
  it.each<[string | undefined, number | null]>([
    ['0', 0],
    ['1', 1_000],
    ['120', 120_000],
    [' 120 ', 120_000],
    ['0120', 120_000],
    ['3600', MAX_RETRY_AFTER_MS],
    ['3601', MAX_RETRY_AFTER_MS],
    ['99999999999', MAX_RETRY_AFTER_MS],
    ['9'.repeat(400), MAX_RETRY_AFTER_MS],
    ['Mon, 25 May 2026 12:02:00 GMT', 120_000],
    ['Mon, 25 May 2026 11:00:00 GMT', 0],
    ['Tue, 26 May 2026 12:00:00 GMT', MAX_RETRY_AFTER_MS],
    [undefined, null],
    ['', null],
    ['   ', null],
    ['-1', null],
    ['+5', null],
    ['1.5', null],
    ['1e3', null],
    ['0x10', null],
    ['soon', null],
    ['5, 10', null],
    ['Mon, 99 May 2026', null],
    ['2026-05-25T12:02:00Z', null],
    ['١٢', null],
  ])('of %j means %j ms', (value, expected) => {
    expect(parseRetryAfterMs(value, now)).toBe(expected);
  });

  it('of any content gives null or a wait from nought to an hour', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const wait = parseRetryAfterMs(value, now);
        return wait === null || (wait >= 0 && wait <= MAX_RETRY_AFTER_MS);
      }),
    );
  });
});
