import { describe, expect, it } from '@jest/globals';
import { MemorySeenDeliveries, oncePerDelivery } from '../../../src/receiver/index.js';

describe('a delivery that arrives repeatedly', () => {
  it('is processed once', async () => {
    const seen = new MemorySeenDeliveries();
    let done = 0;
    const work = async () => void done++;
    expect(await oncePerDelivery(seen, 'dlv_1', work)).toBe('done');
    expect(await oncePerDelivery(seen, 'dlv_1', work)).toBe('repeated');
    expect(await oncePerDelivery(seen, 'dlv_2', work)).toBe('done');
    expect(done).toBe(2);
  });

  it('is under way for a second caller while the first is still working', async () => {
    const seen = new MemorySeenDeliveries();
    let finish = (): void => undefined;
    const first = oncePerDelivery(seen, 'dlv_1', () => new Promise((resolve) => (finish = resolve)));
    await Promise.resolve();
    expect(await oncePerDelivery(seen, 'dlv_1', async () => undefined)).toBe('under-way');
    finish();
    expect(await first).toBe('done');
  });

  it('can be claimed again after the work failed', async () => {
    const seen = new MemorySeenDeliveries();
    const failing = oncePerDelivery(seen, 'dlv_1', () => Promise.reject(new Error('the disk is full')));
    await expect(failing).rejects.toThrow('the disk is full');
    expect(await seen.claim('dlv_1')).toBe('new');
  });
});

describe('the memory of deliveries', () => {
  it('holds no more than its limit, and forgets the oldest first', async () => {
    const seen = new MemorySeenDeliveries({ maxDeliveries: 3 });
    for (const id of ['a', 'b', 'c', 'd']) await oncePerDelivery(seen, id, async () => undefined);
    expect(seen.size).toBe(3);
    expect(await seen.claim('d')).toBe('done');
    expect(await seen.claim('a')).toBe('new');
  });

  it('forgets entries older than its age limit', async () => {
    let now = 0;
    const seen = new MemorySeenDeliveries({ maxAgeMs: 1000, now: () => now });
    await oncePerDelivery(seen, 'a', async () => undefined);
    now = 1000;
    expect(await seen.claim('a')).toBe('done');
    now = 1001;
    expect(await seen.claim('a')).toBe('new');
    expect(seen.size).toBe(1);
  });
});
