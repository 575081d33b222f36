import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BuildLease } from '../../../../src/data-sinks/payload/build-lease.js';
import { stub } from '../../../support/stub.js';

const EVERY_MS = 20_000;
const KEY = { workspaceId: 'ws_1', jobId: 'job_1', run: 1, recipe: 'JSON' };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A lease whose extensions are answered as they are told, all alike or one after the other. */
function leaseOf(...answers: (() => Promise<boolean>)[]) {
  const asked: unknown[] = [];
  const extendBuild = async (...build: unknown[]) => {
    asked.push(build);
    return (answers[asked.length - 1] ?? answers[answers.length - 1])?.() ?? true;
  };
  return { asked, lease: new BuildLease(stub({ extendEveryMs: EVERY_MS, extendBuild }), KEY, 'pld_1') };
}

const yes = async () => true;
const no = async () => false;

async function* numbers(before: () => Promise<unknown> = async () => undefined) {
  for (const number of [1, 2, 3]) {
    yield number;
    await before();
  }
}

async function read(items: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

describe('the lease of a build', () => {
  it('is extended by a timer until it is stopped', async () => {
    const { asked, lease } = leaseOf(yes);
    await jest.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect(asked).toEqual(Array(3).fill([KEY, 'pld_1']));
    lease.stop();
    await jest.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect([asked.length, jest.getTimerCount()]).toEqual([3, 0]);
  });

  it('does not keep the process alive', () => {
    const timer = jest.spyOn(globalThis, 'setInterval');
    const { lease } = leaseOf(yes);
    expect((timer.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(false);
    lease.stop();
  });

  it('has at most one extension in progress', async () => {
    let answer: (held: boolean) => void = () => undefined;
    const { asked, lease } = leaseOf(() => new Promise((resolve) => (answer = resolve)), yes);
    await jest.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect(asked).toHaveLength(1);
    answer(true);
    await jest.advanceTimersByTimeAsync(EVERY_MS);
    expect(asked).toHaveLength(2);
    lease.stop();
  });

  it('survives an extension that fails', async () => {
    const { asked, lease } = leaseOf(() => Promise.reject(new Error('connection lost')), yes);
    await jest.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toHaveLength(2);
    expect(await read(lease.whileHeld(numbers()))).toEqual([1, 2, 3]);
    lease.stop();
  });

  it('when lost, aborts the build and is not extended any more', async () => {
    const { asked, lease } = leaseOf(yes, no);
    const seen: number[] = [];
    const reading = (async () => {
      const items = numbers(() => jest.advanceTimersByTimeAsync(EVERY_MS));
      for await (const item of lease.whileHeld(items)) seen.push(item);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'payload_being_built' });
    await jest.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect([seen, asked.length]).toEqual([[1, 2], 2]);
    lease.stop();
  });
});
