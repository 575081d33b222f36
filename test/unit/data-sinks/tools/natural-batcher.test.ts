import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { NaturalBatcher } from '../../../../src/data-sinks/tools/natural-batcher.js';

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
  it('batches the items of one turn of the event loop', async () => {
    const batches: (readonly number[])[] = [];
    const batcher = new NaturalBatcher(async (items: readonly number[]) => {
      batches.push(items);
      return items;
    });
    await Promise.all(numbers(1, 5).map((n) => batcher.add(n)));
    expect(batches).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('flushes outside every caller’s async context, and resolves each caller within its own', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batcher = new NaturalBatcher(
      async (items: readonly number[]) => {
        await turn();
        seen.push(request.getStore());
        return items;
      },
      { maxBatch: 1 },
    );
    const asks = async (): Promise<string | undefined> => {
      await batcher.add(1);
      return request.getStore();
    };
    // The second and third wait, and are begun by the end of another's flush.
    const answered = await Promise.all(['A', 'B', 'C'].map((name) => request.run(name, asks)));
    expect(answered).toEqual(['A', 'B', 'C']);
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('returns to each item its own output', async () => {
    const batcher = new NaturalBatcher(async (items: readonly number[]) => items.map((n) => n * 2));
    expect(await Promise.all([3, 1, 2].map((n) => batcher.add(n)))).toEqual([6, 2, 4]);
  });

  it('flushes at once when no flush is under way, and lets the next batch form meanwhile', async () => {
    const flushes = new Flushes();
    const batcher = new NaturalBatcher(flushes.flush);
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

  it('never has two flushes under way, nor more items in a batch than allowed', async () => {
    const flushes = new Flushes();
    const batcher = new NaturalBatcher(flushes.flush, { maxBatch: 3 });
    const answers = Promise.all(numbers(0, 20).map((n) => batcher.add(n)));
    await turn();
    for (let i = 0; i < 20 && flushes.underWay > 0; i++) await flushes.endNext();
    expect(await answers).toEqual(numbers(0, 20).map((n) => n * 10));
    expect(flushes.most).toBe(1);
    expect(flushes.batches.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3, 3, 2]);
    expect(flushes.batches.flat()).toEqual(numbers(0, 20));
  });

  it('rejects every item of a failed batch, and continues with the next', async () => {
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

  it('fails the whole batch when flush() does not return one output per item', async () => {
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
