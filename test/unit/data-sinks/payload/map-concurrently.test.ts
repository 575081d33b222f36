import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { mapConcurrently } from '../../../../src/data-sinks/payload/map-concurrently.js';

async function* numbers(count: number, seen: { last: number; closed: boolean }): AsyncGenerator<number> {
  try {
    for (let n = 1; n <= count; n++) {
      seen.last = n;
      yield n;
    }
  } finally {
    seen.closed = true;
  }
}

describe('mapConcurrently()', () => {
  it('returns results in the order of the items', async () => {
    const results: number[] = [];
    const slowFirst = async (n: number) => {
      for (let i = 0; i < 10 - n; i++) await turn();
      return n * 10;
    };
    for await (const result of mapConcurrently(numbers(5, { last: 0, closed: false }), 3, slowFirst))
      results.push(result);
    expect(results).toEqual([10, 20, 30, 40, 50]);
  });

  it('respects the concurrency limit, and requests no more items than that', async () => {
    const seen = { last: 0, closed: false };
    let underWay = 0;
    let most = 0;
    const work = async (n: number) => {
      most = Math.max(most, ++underWay);
      await turn();
      underWay--;
      return n;
    };
    for await (const n of mapConcurrently(numbers(20, seen), 4, work)) expect(seen.last).toBeLessThanOrEqual(n + 3);
    expect(most).toBe(4);
  });

  it('throws the error of the work, closes the source, and leaves nothing running', async () => {
    const seen = { last: 0, closed: false };
    let underWay = 0;
    const work = async (n: number) => {
      underWay++;
      await turn();
      underWay--;
      if (n === 2) throw new Error('chunk 2');
      return n;
    };
    const read = async () => {
      for await (const n of mapConcurrently(numbers(20, seen), 3, work)) expect(n).toBe(1);
    };
    await expect(read()).rejects.toThrow('chunk 2');
    expect([seen.closed, underWay]).toEqual([true, 0]);
  });

  it('waits for running work when the reader stops early', async () => {
    const seen = { last: 0, closed: false };
    let done = 0;
    const work = async (n: number) => {
      await turn();
      done++;
      return n;
    };
    for await (const n of mapConcurrently(numbers(20, seen), 3, work)) if (n === 1) break;
    expect([done, seen.closed]).toEqual([3, true]);
  });
});
