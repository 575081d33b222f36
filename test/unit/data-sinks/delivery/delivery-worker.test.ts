import { setImmediate as turn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CancelSignal } from '../../../../src/data-sinks/tools/cancellation.js';
import { DeliveryWorker } from '../../../../src/data-sinks/delivery/delivery-worker.js';
import { Handover } from '../../../../src/data-sinks/queue/handover.js';
import { ThisWorker } from '../../../../src/data-sinks/queue/this-worker.js';
import { InProcessWakeup } from '../../../../src/data-sinks/queue/wakeup/in-process.wakeup.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';
import { newOutages } from '../../../support/outages.js';

type Run = (delivery: { leaseToken: string }, signal: CancelSignal) => Promise<null>;

const JOB = { job_id: 'job_1', run: 1, recipe: 'JSON' };
const ROUND = {
  ...{ turns: null, came_round: true, exhausted: true, capped: false, full_workspaces: [], paced_ms: null },
  ...{ sinks: null, bodies: [{ ...JOB, completed_ms: 0, body_id: null, traceparent: null }], answered_ms: Date.now() },
};

/** What a claim answers of one delivery that came under this lease. */
const claimed = (leaseToken: string) => [ROUND, { ...JOB, id: 'dlv_1', lease_token: leaseToken }];

const TIMES = { leaseMs: 60_000, pollMs: 60_000, shutdownGraceMs: 60_000 };

interface Answers {
  /** @default nothing is due */
  readonly claim?: () => Promise<unknown>;
  /** In how many milliseconds the next one is due. @default none */
  readonly look?: () => Promise<number | null>;
  /** Hears of every other statement. */
  readonly other?: (sql: string, parameters: unknown) => void;
}

function aWorker(
  run: Run,
  { claim = async () => [ROUND], look = async () => null, other }: Answers,
  times = {},
  handover = new Handover(),
) {
  const query = async (sql: string, parameters: unknown) => {
    if (sql.includes('answered_ms')) return claim();
    if (sql.includes('AS ms')) return [{ ms: await look() }];
    other?.(sql, parameters);
    return [];
  };
  return new DeliveryWorker(
    fakeDatabase(query),
    stub({ judge: async (deliveries) => deliveries.map(() => null) }),
    stub({ run }),
    new InProcessWakeup(),
    handover,
    new ThisWorker(),
    stub({ set: () => undefined }),
    stub({ unsent: async () => undefined, cancelled: async () => undefined }),
    stub({ claimed: () => undefined }),
    newOutages(),
    stub({
      ...{ maxInFlight: 8, claimBatch: 8, maxInFlightPerSink: 8, maxInFlightPerWorkspace: 8 },
      ...{ ...TIMES, ...times, retryWaitsMs: [1] },
    }),
    () => 0,
  );
}

it('shutdown waits for both copies of a delivery that was claimed again after its lease was lost', async () => {
  const claims = [claimed('lost')];
  const finish = new Map<string, () => void>();
  const run: Run = ({ leaseToken }) => new Promise((resolve) => finish.set(leaseToken, () => resolve(null)));
  const worker = aWorker(run, { claim: async () => claims.shift() ?? [ROUND] });
  const underWay = async (leaseToken: string): Promise<void> => {
    while (!finish.has(leaseToken)) await turn();
  };
  await worker.start();
  await underWay('lost');
  claims.push(claimed('new'));
  worker.wake();
  await underWay('new');

  let hasStopped = false;
  const stopped = worker.stop().then(() => (hasStopped = true));
  finish.get('new')?.();
  for (let i = 0; i < 5; i++) await turn();
  expect(hasStopped).toBe(false);
  finish.get('lost')?.();
  await stopped;
});

/** What the worker has said. */
let events: unknown[];
function listenOnAFakeClock(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    events = [];
    const keep = (line: unknown) => void events.push((line as { event: unknown }).event);
    for (const level of ['log', 'error'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(keep);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });
}

describe('on a dead connection', () => {
  const NEVER = new Promise<never>(() => undefined);
  listenOnAFakeClock();

  it('a claim is abandoned after the length of a lease, and the next one is made', async () => {
    const claims = [NEVER, Promise.resolve(claimed('next'))];
    const ran: string[] = [];
    const run: Run = async ({ leaseToken }) => (ran.push(leaseToken), null);
    const claim = () => claims.shift() ?? Promise.resolve([ROUND]);
    const worker = aWorker(run, { claim, look: async () => 0 }, { pollMs: 1_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(59_999);
    expect([ran, events]).toEqual([[], []]);
    await jest.advanceTimersByTimeAsync(1_001);
    expect([ran, events]).toEqual([['next'], ['worker.unavailable', 'worker.available_again']]);
    await worker.stop();
  });

  it('a query for the next due time is abandoned after the length of a lease, and the next one is made', async () => {
    const looks: Promise<number | null>[] = [NEVER];
    let made = 0;
    const look = () => (made++, looks.shift() ?? Promise.resolve(null));
    const worker = aWorker(async () => null, { look }, { pollMs: 1_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(60_999);
    expect(made).toBe(1);
    await jest.advanceTimersByTimeAsync(1_001);
    expect(made).toBeGreaterThan(1);
    await worker.stop();
  });

  it('shutdown does not wait for a claim, and aborts attempts in flight in time', async () => {
    const claims = [Promise.resolve(claimed('held')), NEVER];
    const run: Run = (_delivery, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
    const worker = aWorker(run, { claim: () => claims.shift() ?? NEVER }, { shutdownGraceMs: 25_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(0);
    worker.wake();
    let hasStopped = false;
    void worker.stop().then(() => (hasStopped = true));
    await jest.advanceTimersByTimeAsync(24_999);
    expect(hasStopped).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(hasStopped).toBe(true);
  });

  it('deliveries of a claim that returns too late are released without counting as a failure', async () => {
    let answer: (rows: unknown) => void = () => undefined;
    const claims = [new Promise<unknown>((resolve) => (answer = resolve))];
    const ran: string[] = [];
    const run: Run = async ({ leaseToken }) => (ran.push(leaseToken), null);
    const released: unknown[] = [];
    const answers: Answers = {
      claim: () => claims.shift() ?? Promise.resolve([ROUND]),
      other: (sql, parameters) => void (/UPDATE agent_data_source_delivery/.test(sql) && released.push(parameters)),
    };
    const worker = aWorker(run, answers);
    await worker.start();
    await jest.advanceTimersByTimeAsync(60_000);
    answer(claimed('late'));
    await jest.advanceTimersByTimeAsync(0);
    expect([ran, released]).toEqual([[], [[['dlv_1'], ['late'], [0], [false]]]]);
    await worker.stop();
  });

  it('shutdown stops waiting soon for an attempt that ignores its abort', async () => {
    const claims = [Promise.resolve(claimed('held'))];
    const claim = () => claims.shift() ?? Promise.resolve([ROUND]);
    const worker = aWorker(() => NEVER, { claim }, { shutdownGraceMs: 25_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(0);
    let hasStopped = false;
    void worker.stop().then(() => (hasStopped = true));
    await jest.advanceTimersByTimeAsync(29_999);
    expect(hasStopped).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(hasStopped).toBe(true);
  });

  it('deliveries of a claim that returns after the grace period are not started', async () => {
    let answer: (rows: unknown) => void = () => undefined;
    const aborted: unknown[] = [];
    const run: Run = async (_delivery, signal) => (aborted.push(signal.reason), null);
    const claim = () => new Promise<unknown>((resolve) => (answer = resolve));
    const worker = aWorker(run, { claim }, { shutdownGraceMs: 25_000 });
    await worker.start();
    const stopped = worker.stop();
    await jest.advanceTimersByTimeAsync(25_000);
    await stopped;
    answer(claimed('late'));
    await jest.advanceTimersByTimeAsync(0);
    expect(aborted).toMatchObject([{ code: 'shutdown' }]);
  });
});

describe('on a read-only database', () => {
  listenOnAFakeClock();
  const readOnly = () => Promise.reject(new Error('cannot execute UPDATE in a read-only transaction'));

  it.each([
    ['something is due', 0],
    ['nothing is', null],
  ])('the log reports the outage once, and its end once: %s', async (_what, dueInMs) => {
    let claim: () => Promise<unknown> = readOnly;
    const answers = { claim: () => claim(), look: async () => dueInMs };
    const worker = aWorker(async () => null, answers, { pollMs: 1_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(events).toEqual(['worker.unavailable']);
    claim = async () => [ROUND];
    await jest.advanceTimersByTimeAsync(1_000);
    expect(events).toEqual(['worker.unavailable', 'worker.available_again']);
    await worker.stop();
  });

  it('an outage noticed only by a query for the next due time ends with such a query', async () => {
    let look: () => Promise<number | null> = () => Promise.reject(new Error('away'));
    const worker = aWorker(async () => null, { look: () => look() }, { pollMs: 1_000 });
    await worker.start();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(events).toEqual(['worker.unavailable']);
    look = async () => null;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(events).toEqual(['worker.unavailable', 'worker.available_again']);
    await worker.stop();
  });
});
