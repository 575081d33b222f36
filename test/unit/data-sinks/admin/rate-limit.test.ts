import { describe, expect, it } from '@jest/globals';
import { RateLimit } from '../../../../src/data-sinks/admin/rate-limit.js';

function limit(perMinute: number) {
  const clock = { ms: 0 };
  const rateLimit = new RateLimit(perMinute, () => clock.ms);
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
  it('lets so many uses a minute pass, and says when the next one may', () => {
    const { clock, use } = limit(3);
    expect([use(), use(), use(), use()]).toEqual([undefined, undefined, undefined, 60]);
    clock.ms = 59_001;
    expect(use()).toBe(1);
    clock.ms = 60_000;
    expect(use()).toBeUndefined();
  });

  it('slides: each use is given back a minute after it', () => {
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

  it('counts each key by itself', () => {
    const { use } = limit(1);
    expect([use('ads_1'), use('ads_2'), use('ads_1')]).toEqual([undefined, undefined, 60]);
  });

  it('says what is limited', () => {
    const { rateLimit } = limit(1);
    rateLimit.use('ads_1', 'Testing a data source');
    expect(() => rateLimit.use('ads_1', 'Testing a data source')).toThrow(
      'Testing a data source is limited to 1 a minute. Wait a little.',
    );
  });
});
