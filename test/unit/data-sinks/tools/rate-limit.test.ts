import { describe, expect, it } from '@jest/globals';
import { RateLimit } from '../../../../src/data-sinks/tools/rate-limit.js';

function limit(perMinute: number, maxKeys?: number) {
  const clock = { ms: 0 };
  const rateLimit = new RateLimit(perMinute, () => clock.ms, maxKeys);
  const use = (key = 'ads_1'): number | undefined => {
    try {
      rateLimit.use(key, 'Testing a data source');
      return undefined;
    } catch (error) {
      const { code, extras } = error as { code: string; extras: { retryAfterSeconds: number } };
      expect(code).toBe('rate-limited');
      return extras.retryAfterSeconds;
    }
  };
  return { clock, rateLimit, use };
}

describe('a rate limit', () => {
  it('allows its number of uses per minute, and says when to retry', () => {
    const { clock, use } = limit(3);
    expect([use(), use(), use(), use()]).toEqual([undefined, undefined, undefined, 60]);
    clock.ms = 59_001;
    expect(use()).toBe(1);
    clock.ms = 60_000;
    expect(use()).toBeUndefined();
  });

  it('is a sliding window', () => {
    const { clock, use } = limit(2);
    use();
    clock.ms = 30_000;
    use();
    clock.ms = 60_000;
    expect(use()).toBeUndefined();
    expect(use()).toBe(30);
  });

  it('does not count a use that it refused', () => {
    const { clock, use } = limit(1);
    use();
    for (clock.ms = 1_000; clock.ms < 60_000; clock.ms += 1_000) expect(use()).toBeGreaterThan(0);
    expect(use()).toBeUndefined();
  });

  it('counts each key separately', () => {
    const { use } = limit(1);
    expect([use('ads_1'), use('ads_2'), use('ads_1')]).toEqual([undefined, undefined, 60]);
  });

  it('forgets keys that were not used for a minute', () => {
    const { clock, rateLimit, use } = limit(2);
    for (let i = 0; i < 100; i++) use(`ads_${i}`);
    clock.ms = 30_000;
    use('ads_0');
    clock.ms = 60_000;
    use('ads_new');
    expect(rateLimit.size).toBe(2);
  });

  it('keeps at most the maximum number of keys, the most recently used ones', () => {
    const { rateLimit, use } = limit(1, 3);
    for (const key of ['a', 'b', 'c', 'd']) use(key);
    expect(rateLimit.size).toBe(3);
    expect([use('d'), use('c'), use('b')]).toEqual([60, 60, 60]);
    expect(use('a')).toBeUndefined();
    expect(rateLimit.size).toBe(3);
  });

  it('keeps at most the maximum number of uses', () => {
    const { clock, rateLimit, use } = limit(600);
    for (let i = 0; i < 20_000; i++) {
      clock.ms += 1;
      use(`ads_${i}`);
    }
    expect(rateLimit.size).toBe(10_000);
  });

  it('names what is limited', () => {
    const { rateLimit } = limit(1);
    rateLimit.use('ads_1', 'Testing a data source');
    expect(() => rateLimit.use('ads_1', 'Testing a data source')).toThrow(
      'Testing a data source is limited to 1 a minute. Try again later.',
    );
  });
});
