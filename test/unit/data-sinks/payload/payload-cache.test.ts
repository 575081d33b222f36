import { describe, expect, it } from '@jest/globals';
import { PayloadCache } from '../../../../src/data-sinks/payload/payload-cache.js';

const body = (bytes: number) => Buffer.alloc(bytes);

describe('the cache of bodies', () => {
  it('returns a stored body', () => {
    const cache = new PayloadCache(100);
    const kept = body(10);
    cache.put('pld_1', kept);
    expect(cache.get('pld_1')).toBe(kept);
    expect(cache.get('pld_2')).toBeUndefined();
  });

  it('evicts the least recently used bodies when it is full', () => {
    const cache = new PayloadCache(100);
    for (const id of ['1', '2', '3', '4']) cache.put(id, body(25));
    cache.get('1');
    cache.put('5', body(25));
    expect(['1', '2', '3', '4', '5'].filter((id) => cache.get(id))).toEqual(['1', '3', '4', '5']);
  });

  it('evicts as many as needed', () => {
    const cache = new PayloadCache(100);
    for (let i = 0; i < 10; i++) cache.put(`small ${i}`, body(10));
    cache.put('large', body(25));
    expect(Array.from({ length: 10 }, (_, i) => `small ${i}`).filter((id) => cache.get(id))).toHaveLength(7);
  });

  it('refuses a body larger than a quarter of its size', () => {
    const cache = new PayloadCache(100);
    expect([cache.fits(25), cache.fits(26)]).toEqual([true, false]);
    cache.put('small', body(25));
    cache.put('large', body(26));
    expect([cache.get('small'), cache.get('large')]).toEqual([body(25), undefined]);
  });

  it('counts a body once that is stored twice', () => {
    const cache = new PayloadCache(100);
    for (let i = 0; i < 10; i++) cache.put('same', body(25));
    for (const id of ['a', 'b', 'c']) cache.put(id, body(25));
    expect(['same', 'a', 'b', 'c'].filter((id) => cache.get(id))).toHaveLength(4);
  });

  it('can be disabled', () => {
    const cache = new PayloadCache(0);
    cache.put('1', body(1));
    expect(cache.get('1')).toBeUndefined();
  });
});
