import { setImmediate as turn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeliveryPlan } from '../../../../src/data-sinks/domain/delivery.js';
import type { AttemptClosing } from '../../../../src/data-sinks/domain/attempt-end.js';
import type { Database } from '../../../../src/data-sinks/database/database.js';
import type { AttemptEnd } from '../../../../src/data-sinks/domain/attempt-end.js';
import { AttemptRecorder } from '../../../../src/data-sinks/delivery/attempt-recorder.js';
import { aClaimedDelivery } from './claimed.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';

const DELIVERED: DeliveryPlan = { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false };
const RETRYING: DeliveryPlan = { status: 'RETRYING', reason: null, waitMs: 5_000, spendsRetry: true };

const anEnd = (id: string, plan: DeliveryPlan): AttemptEnd => ({
  delivery: aClaimedDelivery({ id }),
  closing: {
    opened: { attemptId: `syn of ${id}`, deliveryId: id, attemptNumber: 2, startedAt: new Date(0) },
    leaseToken: 'token',
    ...{
      status: 'SUCCEEDED',
      errorCode: null,
      httpStatus: 200,
      answerExcerpt: 'from the receiver',
      answerEnding: 'complete',
    },
    timings: { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 1 },
    ...{ plan, ownFailure: false },
  } as AttemptClosing,
});

let errors: unknown[];
beforeEach(() => {
  errors = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
});
afterEach(() => void jest.restoreAllMocks());

/** A database that closes all but some deliveries, after failing a number of times. */
function recorder({
  lost = [] as readonly string[],
  failures = 0,
  unansweredMs = 0,
  keepTryingMs = 10_000,
  following = async (): Promise<void> => undefined,
}) {
  const state = { calls: 0 };
  const query = async (_sql: string, [attemptIds, , deliveryIds]: [string[], unknown, string[]]) => {
    if (++state.calls <= failures) {
      if (unansweredMs > 0) await new Promise((resolve) => setTimeout(resolve, unansweredMs));
      throw new Error('database away');
    }
    return attemptIds.filter((_, i) => !lost.includes(deliveryIds[i] ?? '')).map((id) => ({ id }));
  };
  const told: string[] = [];
  const settled = {
    byAttempt: async (ends: readonly AttemptEnd[]) => {
      told.push(...ends.map((end) => end.delivery.id));
      await following();
    },
  };
  return {
    state,
    told,
    recorder: new AttemptRecorder(
      fakeDatabase(query),
      stub(settled),
      stub({ workerId: 'worker-1', leaseMs: keepTryingMs }),
    ),
  };
}

describe('closing attempts', () => {
  it('writes concurrent attempts in one statement, and tells each whether its lease was still valid', async () => {
    const { recorder: made, state, told } = recorder({ lost: ['dlv_2'] });
    const ends = [anEnd('dlv_1', DELIVERED), anEnd('dlv_2', DELIVERED), anEnd('dlv_3', RETRYING)];
    expect(await Promise.all(ends.map((end) => made.close(end)))).toEqual([true, false, true]);
    expect(state.calls).toBe(1);
    // Whoever follows what happened hears of what is on record, and of nothing else.
    expect(told).toEqual(['dlv_1', 'dlv_3']);
  });

  it('does not wait longer than a lease for hooks that never finish', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    const waits = [new Promise<void>(() => undefined)];
    const following = () => waits.shift() ?? Promise.resolve();
    const { recorder: made, told } = recorder({ following });
    const first = made.close(anEnd('dlv_1', DELIVERED));
    while (told.length === 0) await turn();
    const second = made.close(anEnd('dlv_2', DELIVERED));
    await turn();
    await jest.advanceTimersByTimeAsync(10_000);
    jest.useRealTimers();
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(told).toEqual(['dlv_1', 'dlv_2']);
    expect(errors).toMatchObject([{ event: 'attempts.not_followed_up', attempts: 1 }]);
  });

  it('retries during a short database outage, since the response cannot be had again', async () => {
    const { recorder: made, state } = recorder({ failures: 1 });
    expect(await made.close(anEnd('dlv_1', DELIVERED))).toBe(true);
    expect(state.calls).toBe(2);
  });

  it('makes one more try when the first did not finish in that time', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    const { recorder: made, state } = recorder({ failures: 1, unansweredMs: 60_000, keepTryingMs: 60_000 });
    const closed = made.close(anEnd('dlv_1', DELIVERED));
    while (state.calls === 0) await turn();
    await jest.advanceTimersByTimeAsync(60_000);
    jest.useRealTimers();
    expect(await closed).toBe(true);
  });

  it('stops retrying when the lease is lost', async () => {
    const { recorder: made } = recorder({ failures: 1_000, keepTryingMs: 0 });
    await expect(made.close(anEnd('dlv_1', DELIVERED))).rejects.toThrow('database away');
  });
});

/** A database whose transactions fail, or are never answered, for a number of times. */
function givesBack({ failures = 0, answers = true, keepTryingMs = 10_000, lost = [] as readonly string[] }) {
  const batches: string[][] = [];
  const query = async (sql: string, [ids, tokens]: [string[], string[]]) => {
    if (!sql.includes('FOR UPDATE')) return [];
    return tokens.filter((_, i) => !lost.includes(ids[i] ?? '')).map((lease_token) => ({ lease_token }));
  };
  const state = { transactions: 0 };
  const transaction = async <T>(work: (transaction: Database) => Promise<T>) => {
    if (++state.transactions <= failures) {
      if (answers) throw new Error('database away');
      return new Promise<T>(() => undefined);
    }
    const asked = (sql: string, parameters: [string[], string[]]) => {
      if (sql.includes('FOR UPDATE')) batches.push(parameters[0]);
      return query(sql, parameters);
    };
    return work(fakeDatabase(asked));
  };
  const settled = { byAttempt: async () => undefined };
  const options = { workerId: 'worker-1', leaseMs: keepTryingMs };
  return {
    state,
    batches,
    recorder: new AttemptRecorder(fakeDatabase(undefined, { transaction }), stub(settled), stub(options)),
  };
}

const held = (id: string) => ({ id, leaseToken: `token of ${id}` });

describe('releasing deliveries that could not be opened', () => {
  it('uses one transaction for all of them, and tells each whether its lease was still valid', async () => {
    const { recorder: made, batches, state } = givesBack({ lost: ['dlv_7'] });
    const ids = Array.from({ length: 256 }, (_, i) => `dlv_${i}`);
    const given = await Promise.all(ids.map((id) => made.giveBack(held(id), 5_000)));
    expect(given).toEqual(ids.map((id) => id !== 'dlv_7'));
    expect(batches).toEqual([ids]);
    expect(state.transactions).toBe(1);
  });

  it('retries during a short database outage, which also failed the opening', async () => {
    const { recorder: made, state } = givesBack({ failures: 1 });
    expect(await made.giveBack(held('dlv_1'), 5_000)).toBe(true);
    expect(state.transactions).toBe(2);
  });

  it('is not retried after the process was told to stop', async () => {
    const { recorder: made, state } = givesBack({ failures: 1_000 });
    await expect(made.giveBack(held('dlv_1'), 5_000, AbortSignal.abort())).rejects.toThrow('database away');
    expect(state.transactions).toBe(1);
  });

  it('waits no longer than a lease on a dead connection, and then uses another one', async () => {
    const { recorder: made, state } = givesBack({ failures: 1, answers: false, keepTryingMs: 100 });
    // A limit's timer does not keep the process, as a socket would.
    const alive = setInterval(() => undefined, 1_000);
    expect(await made.giveBack(held('dlv_1'), 5_000).finally(() => clearInterval(alive))).toBe(true);
    expect(state.transactions).toBe(2);
  });
});
