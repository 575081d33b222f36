import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_JITTER_SHARE,
  MAX_RETRY_AFTER_MS,
  parseRetryAfterMs,
  retryWaitMs,
} from '../../../../src/data-sinks/domain/retry-schedule.js';

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

  it('is lengthened by jitter, never shortened, by at most 10 %', () => {
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

  it('is limited to an hour for Retry-After including jitter, but not for the host’s own schedule', () => {
    expect(retryWaitMs(1, 0.999, 86_400_000)).toBe(3_600_000);
    expect(retryWaitMs(1, 0.5, 3_500_000)).toBe(3_600_000);
    expect(retryWaitMs(1, 0.5, 1_000, [7_200_000])).toBe(7_560_000);
  });

  it('varies over the whole 10 %', () => {
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

  it('follows the operator’s schedule, whose last entry repeats', () => {
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
    ['Monday, 25-May-26 12:02:00 GMT', 120_000],
    ['Saturday, 25-May-76 12:02:00 GMT', MAX_RETRY_AFTER_MS],
    ['Wednesday, 25-May-77 12:02:00 GMT', 0],
    ['Mon May 25 12:02:00 2026', 120_000],
    ['Tue May  5 12:02:00 2026', 0],
    ['Monday, 99-May-26 12:02:00 GMT', null],
    ['Mon May 25 12:02:00', null],
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

  it('with any text gives null or a wait from 0 to an hour', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const wait = parseRetryAfterMs(value, now);
        return wait === null || (wait >= 0 && wait <= MAX_RETRY_AFTER_MS);
      }),
    );
  });
});
