import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AttemptAbortedError } from '../../../../src/data-sinks/queue/attempt-aborted.error.js';
import { LeaseKeeper } from '../../../../src/data-sinks/queue/lease-keeper.js';
import { fakeDatabase } from '../../../support/fake-database.js';

let kept: readonly string[] | Error;
let asked: string[][];
let keeper: LeaseKeeper;

beforeEach(() => {
  jest.useFakeTimers();
  [kept, asked] = [[], []];
  const query = async (_sql: string, [ids]: [string[]]) => {
    asked.push(ids);
    if (kept instanceof Error) throw kept;
    return kept.map((token) => ({ lease_token: token }));
  };
  keeper = new LeaseKeeper(fakeDatabase(query), 60_000);
  keeper.start();
});
afterEach(() => {
  keeper.stop();
  jest.useRealTimers();
});

const one = { id: 'dlv_1', leaseToken: 'token 1', dataSourceId: 'ads_1' };
const other = { id: 'dlv_2', leaseToken: 'token 2', dataSourceId: 'ads_1' };

describe('the keeper of leases', () => {
  it('extends held leases three times per lease', async () => {
    kept = ['token 1', 'token 2'];
    const signals = [keeper.hold(one), keeper.hold(other)];
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([
      ['dlv_1', 'dlv_2'],
      ['dlv_1', 'dlv_2'],
      ['dlv_1', 'dlv_2'],
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('sends no query while nothing is held', async () => {
    keeper.hold(one);
    keeper.release(one);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([]);
  });

  it('knows how many it holds of a sink', () => {
    for (const lease of [one, other, { ...one, leaseToken: 'token 3', dataSourceId: 'ads_2' }]) keeper.hold(lease);
    keeper.release(one);
    expect(['ads_1', 'ads_2', 'ads_3'].map((sink) => keeper.heldOf(sink))).toEqual([1, 1, 0]);
  });

  it('aborts an upload whose lease was lost, and no other', async () => {
    kept = ['token 2'];
    const [lost, held] = [keeper.hold(one), keeper.hold(other)];
    await jest.advanceTimersByTimeAsync(20_000);
    expect(lost.reason).toEqual(new AttemptAbortedError('lease_lost'));
    expect(held.aborted).toBe(false);
  });

  it('distinguishes two leases of one delivery', async () => {
    kept = ['token 2'];
    const [lost, held] = [keeper.hold(one), keeper.hold({ ...one, leaseToken: 'token 2' })];
    await jest.advanceTimersByTimeAsync(20_000);
    expect([lost.aborted, held.aborted]).toEqual([true, false]);
  });

  it('treats a delivery that ended meanwhile as done, not lost', async () => {
    const signal = keeper.hold(one);
    jest.advanceTimersByTime(20_000);
    keeper.release(one);
    await jest.advanceTimersByTimeAsync(0);
    expect([asked.length, signal.aborted]).toEqual([1, false]);
  });

  it('aborts nothing when the database is unavailable, and retries', async () => {
    kept = new Error('away');
    const signal = keeper.hold(one);
    await jest.advanceTimersByTimeAsync(40_000);
    expect([asked.length, signal.aborted]).toEqual([2, false]);
  });

  it('aborts everything when the process is stopped', () => {
    const signals = [keeper.hold(one), keeper.hold(other)];
    keeper.abortAll(new AttemptAbortedError('shutdown'));
    expect(signals.map(({ reason }) => (reason as AttemptAbortedError).code)).toEqual(['shutdown', 'shutdown']);
  });
});
