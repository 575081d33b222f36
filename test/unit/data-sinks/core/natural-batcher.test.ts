import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { NaturalBatcher } from '../../../../src/data-sinks/core/natural-batcher.js';

/** A flush that is held until the test lets it end. */
class Flushes {
  readonly batches: (readonly number[])[] = [];
  readonly #ends: (() => void)[] = [];
  underWay = 0;
  most = 0;

  readonly flush = async (items: readonly number[]): Promise<readonly number[]> => {
    this.batches.push(items);
    this.most = Math.max(this.most, ++this.underWay);
    await new Promise<void>((resolve) => this.#ends.push(resolve));
    this.underWay--;
    return items.map((item) => item * 10);
  };

  async endNext(): Promise<void> {
    this.#ends.shift()?.();
    await turn();
  }
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe('a natural batcher', () => {
  it('puts what one turn of the event loop brings into one batch', async () => {
    const batches: (readonly number[])[] = [];
    const batcher = new NaturalBatcher(async (items: readonly number[]) => {
      batches.push(items);
      return items;
    });
    await Promise.all(numbers(1, 5).map((n) => batcher.add(n)));
    expect(batches).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('gives each item its own answer, in the order of the items', async () => {
    const batcher = new NaturalBatcher(async (items: readonly number[]) => items.map((n) => n * 2));
    expect(await Promise.all([3, 1, 2].map((n) => batcher.add(n)))).toEqual([6, 2, 4]);
  });

  it('flushes at once when a flusher is free, and lets the next batch form while all are busy', async () => {
    const flushes = new Flushes();
    const batcher = new NaturalBatcher(flushes.flush, { flushers: 1 });
    const first = batcher.add(1);
    await turn();
    expect(flushes.batches).toEqual([[1]]);
    const rest: Promise<number>[] = [];
    for (const n of [2, 3, 4]) {
      rest.push(batcher.add(n));
      await turn();
    }
    expect(flushes.batches).toEqual([[1]]);
    await flushes.endNext();
    expect(flushes.batches).toEqual([[1], [2, 3, 4]]);
    await flushes.endNext();
    expect(await Promise.all([first, ...rest])).toEqual([10, 20, 30, 40]);
  });

  it('never has more flushes under way than flushers, nor more items in a batch than allowed', async () => {
    const flushes = new Flushes();
    const batcher = new NaturalBatcher(flushes.flush, { maxBatch: 3, flushers: 2 });
    const answers = Promise.all(numbers(0, 20).map((n) => batcher.add(n)));
    await turn();
    for (let i = 0; i < 20 && flushes.underWay > 0; i++) await flushes.endNext();
    expect(await answers).toEqual(numbers(0, 20).map((n) => n * 10));
    expect(flushes.most).toBe(2);
    expect(flushes.batches.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3, 3, 2]);
    expect(flushes.batches.flat()).toEqual(numbers(0, 20));
  });

  it('begins a flush beside another one only for as many items as are worth it', async () => {
    const flushes = new Flushes();
    const batcher = new NaturalBatcher(flushes.flush, { flushers: 2, worthAnother: 3 });
    const answers = [batcher.add(1)];
    await turn();
    answers.push(batcher.add(2), batcher.add(3));
    await turn();
    expect(flushes.batches).toEqual([[1]]);
    answers.push(batcher.add(4));
    await turn();
    expect(flushes.batches).toEqual([[1], [2, 3, 4]]);
    await flushes.endNext();
    await flushes.endNext();
    expect(await Promise.all(answers)).toEqual([10, 20, 30, 40]);
  });

  it('tells everyone in a batch that it failed, and goes on with the next', async () => {
    let calls = 0;
    const batcher = new NaturalBatcher(async (items: readonly number[]) => {
      if (++calls === 1) throw new Error('database away');
      return items;
    });
    const failed = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(failed.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      'Error: database away',
      'Error: database away',
    ]);
    expect(await batcher.add(3)).toBe(3);
  });

  it('fails a batch that is not answered item by item: whose answer is whose would be a guess', async () => {
    const batcher = new NaturalBatcher(async () => [1]);
    const both = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('fails a batch whose flush throws before it returns a promise', async () => {
    const batcher = new NaturalBatcher(() => {
      throw new Error('bug');
    });
    await expect(batcher.add(1)).rejects.toThrow('bug');
  });
});
