import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  settleBatch,
  settleBatches,
  SPLIT_LIMIT_MS,
  valueOf,
} from '../../../../src/data-sinks/intake/split-failed-batch.js';

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => void jest.useRealTimers());

/** Ten times each item; all or none. Each call takes a while, and fails when one of its items is a bad one. */
function world(bad: readonly number[], takesMs = 0) {
  const calls: (readonly number[])[] = [];
  const work = async (items: readonly number[]): Promise<number[]> => {
    calls.push(items);
    jest.advanceTimersByTime(takesMs);
    const culprit = items.find((item) => bad.includes(item));
    if (culprit !== undefined) throw new Error(`${culprit} in ${items.length}`);
    return items.map((item) => item * 10);
  };
  return { calls, work };
}

describe('a batch with individual results', () => {
  it('runs once when nothing fails', async () => {
    const { calls, work } = world([]);
    expect((await settleBatch([1, 2, 3], work)).map(valueOf)).toEqual([10, 20, 30]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it('is split when it fails, so that only the faulty items fail', async () => {
    const { calls, work } = world([2]);
    const [one, two, three] = await settleBatch([1, 2, 3], work);
    expect([one, three]).toEqual([
      { status: 'fulfilled', value: 10 },
      { status: 'fulfilled', value: 30 },
    ]);
    expect(two).toMatchObject({ status: 'rejected', reason: { message: '2 in 1' } });
    expect(() => two && valueOf(two)).toThrow('2 in 1');
    expect(calls).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('is not retried when it has one item', async () => {
    const { calls, work } = world([1]);
    expect(await settleBatch([1], work)).toMatchObject([{ status: 'rejected', reason: { message: '1 in 1' } }]);
    expect(calls).toHaveLength(1);
  });

  it('fails for all remaining items after the time limit', async () => {
    const { calls, work } = world([1, 2, 3, 4], SPLIT_LIMIT_MS / 2);
    const settled = await settleBatch([1, 2, 3, 4], work);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      ...['Error: 1 in 1', 'Error: 1 in 4', 'Error: 1 in 4', 'Error: 1 in 4'],
    ]);
    expect(calls).toHaveLength(2);
  });
});

describe('slices with individual results', () => {
  it('run one after the other, yield to the event loop in between, and continue after a failure', async () => {
    const { calls, work } = world([3]);
    const inTurn = async (slice: readonly number[]): Promise<number[]> => {
      setImmediate(() => void calls.push([]));
      return work(slice);
    };
    const settled = await settleBatches([[1, 2], [3, 4], [5]], inTurn);
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    ]);
    expect(calls).toEqual([[1, 2], [], [3, 4], [3], [4], [], [], [], [5], []]);
  });

  it('are given up after one failed slowly', async () => {
    const { calls, work } = world([1, 2, 3], SPLIT_LIMIT_MS);
    const settled = await settleBatches([[1], [2], [3]], work);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      ...['Error: 1 in 1', 'Error: 1 in 1', 'Error: 1 in 1'],
    ]);
    expect(calls).toEqual([[1]]);
  });
});
