import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { settleEach, settleSlices, TAKEN_APART_MS, valueOf } from '../../../../src/data-sinks/pipeline/settle-each.js';

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

describe('a batch of which each item ends for itself', () => {
  it('is done in one when nothing fails', async () => {
    const { calls, work } = world([]);
    expect((await settleEach([1, 2, 3], work)).map(valueOf)).toEqual([10, 20, 30]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it('is taken apart when it fails: only what is at fault fails', async () => {
    const { calls, work } = world([2]);
    const [one, two, three] = await settleEach([1, 2, 3], work);
    expect([one, three]).toEqual([
      { status: 'fulfilled', value: 10 },
      { status: 'fulfilled', value: 30 },
    ]);
    expect(two).toMatchObject({ status: 'rejected', reason: { message: '2 in 1' } });
    expect(() => two && valueOf(two)).toThrow('2 in 1');
    expect(calls).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('is not tried again when it has one item', async () => {
    const { calls, work } = world([1]);
    expect(await settleEach([1], work)).toMatchObject([{ status: 'rejected', reason: { message: '1 in 1' } }]);
    expect(calls).toHaveLength(1);
  });

  it('is given up after a while: what is away fails each item like all', async () => {
    const { calls, work } = world([1, 2, 3, 4], TAKEN_APART_MS / 2);
    const settled = await settleEach([1, 2, 3, 4], work);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      ...['Error: 1 in 1', 'Error: 1 in 4', 'Error: 1 in 4', 'Error: 1 in 4'],
    ]);
    expect(calls).toHaveLength(2);
  });
});

describe('slices of which each item ends for itself', () => {
  it('are done one after the other, with a turn for others in between, and one that fails is not the end', async () => {
    const { calls, work } = world([3]);
    const inTurn = async (slice: readonly number[]): Promise<number[]> => {
      setImmediate(() => void calls.push([]));
      return work(slice);
    };
    const settled = await settleSlices([[1, 2], [3, 4], [5]], inTurn);
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    ]);
    expect(calls).toEqual([[1, 2], [], [3, 4], [3], [4], [], [], [], [5], []]);
  });

  it('are given up when one failed slowly: what is away is not waited for by each', async () => {
    const { calls, work } = world([1, 2, 3], TAKEN_APART_MS);
    const settled = await settleSlices([[1], [2], [3]], work);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      ...['Error: 1 in 1', 'Error: 1 in 1', 'Error: 1 in 1'],
    ]);
    expect(calls).toEqual([[1]]);
  });
});
