import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Session } from '../../../../src/data-sinks/persistence/database.js';
import { AttemptAbortedError } from '../../../../src/data-sinks/pipeline/attempt-aborted.error.js';
import { LeaseKeeper } from '../../../../src/data-sinks/pipeline/lease-keeper.js';

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
  keeper = new LeaseKeeper({ query } as unknown as Session, 60_000);
  keeper.start();
});
afterEach(() => {
  keeper.stop();
  jest.useRealTimers();
});

const one = { id: 'dlv_1', leaseToken: 'token 1' };
const other = { id: 'dlv_2', leaseToken: 'token 2' };

describe('the keeper of leases', () => {
  it('extends those that are held three times in the length of a lease', async () => {
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

  it('asks for nothing while nothing is held', async () => {
    keeper.hold(one);
    keeper.release(one);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([]);
  });

  it('breaks off an upload whose lease was lost, and no other', async () => {
    kept = ['token 2'];
    const [lost, held] = [keeper.hold(one), keeper.hold(other)];
    await jest.advanceTimersByTimeAsync(20_000);
    expect(lost.reason).toEqual(new AttemptAbortedError('lease_lost'));
    expect(held.aborted).toBe(false);
  });

  it('tells two leases of one delivery apart', async () => {
    kept = ['token 2'];
    const [lost, held] = [keeper.hold(one), keeper.hold({ ...one, leaseToken: 'token 2' })];
    await jest.advanceTimersByTimeAsync(20_000);
    expect([lost.aborted, held.aborted]).toEqual([true, false]);
  });

  it('takes a delivery that ended meanwhile for done, not for lost', async () => {
    const signal = keeper.hold(one);
    jest.advanceTimersByTime(20_000);
    keeper.release(one);
    await jest.advanceTimersByTimeAsync(0);
    expect([asked.length, signal.aborted]).toEqual([1, false]);
  });

  it('breaks nothing off when the database is away, and tries again', async () => {
    kept = new Error('away');
    const signal = keeper.hold(one);
    await jest.advanceTimersByTimeAsync(40_000);
    expect([asked.length, signal.aborted]).toEqual([2, false]);
  });

  it('breaks everything off when the process is stopped', () => {
    const signals = [keeper.hold(one), keeper.hold(other)];
    keeper.abortAll(new AttemptAbortedError('shutdown'));
    expect(signals.map(({ reason }) => (reason as AttemptAbortedError).code)).toEqual(['shutdown', 'shutdown']);
  });
});
