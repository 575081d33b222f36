import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Cancellation } from '../../../../src/data-sinks/core/cancellation.js';
import { PayloadStore } from '../../../../src/data-sinks/payload/payload-store.js';
import { Housekeeping } from '../../../../src/data-sinks/pipeline/housekeeping.js';
import { Retention } from '../../../../src/data-sinks/pipeline/retention.js';

type Given = ConstructorParameters<typeof Housekeeping>;
type Step = 'partitions' | 'orphans' | 'secrets' | 'retention';

const HOUR_MS = 3_600_000;
const STEPS: readonly Step[] = ['partitions', 'orphans', 'secrets', 'retention'];

let logged: string[];
let aheadMs: number;
beforeEach(() => {
  logged = [];
  aheadMs = 0;
  for (const level of ['log', 'error'] as const) {
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation(({ event, step }: Record<string, string>) => void logged.push(`${event} ${step}`));
  }
  const real = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => real() + aheadMs);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** One whose steps say that they were asked, and throw while they are away. */
function housekeepingOf(...broken: Step[]) {
  const away = new Set(broken);
  const asked: Step[] = [];
  const ask = (step: Step): void => {
    asked.push(step);
    if (away.has(step)) throw new Error(`${step} is away`);
  };
  const housekeeping = new Housekeeping(
    { query: async () => (ask('partitions'), []) } as unknown as Given[0],
    { sweepOrphans: async () => ask('orphans') },
    { destroyUnreferenced: async () => (ask('secrets'), 0) },
    { run: async () => ask('retention') },
  );
  return { housekeeping, asked, away };
}

describe('housekeeping', () => {
  it('is done once an hour', async () => {
    const { housekeeping, asked } = housekeepingOf();
    await housekeeping.runHourly();
    await housekeeping.runHourly();
    expect(asked).toEqual(STEPS);
    aheadMs = HOUR_MS + 1;
    await housekeeping.runHourly();
    expect(asked).toEqual([...STEPS, ...STEPS]);
    expect(logged).toEqual([]);
  });

  it.each(STEPS)('does the rest while %s fails, once an hour all the same, and says so once', async (step) => {
    const { housekeeping, asked, away } = housekeepingOf(step);
    await housekeeping.runHourly();
    await housekeeping.runHourly();
    expect(asked).toEqual(STEPS);
    aheadMs = HOUR_MS + 1;
    await housekeeping.runHourly();
    expect(asked).toEqual([...STEPS, ...STEPS]);
    expect(logged).toEqual([`sweeper.unavailable ${step}`]);
    away.clear();
    aheadMs += HOUR_MS + 1;
    await housekeeping.runHourly();
    expect(logged).toEqual([`sweeper.unavailable ${step}`, `sweeper.available_again ${step}`]);
  });

  it('makes partitions ahead of the first claim, and a database that is away then stops no boot', async () => {
    const { housekeeping, asked } = housekeepingOf('partitions');
    await housekeeping.makePartitions();
    expect(asked).toEqual(['partitions']);
    expect(logged).toEqual(['sweeper.unavailable partitions']);
  });
});

it('a vault and a database that never answer hold up neither the boot nor the rest', async () => {
  jest.useFakeTimers();
  const never = (): Promise<never> => new Promise(() => undefined);
  let retained = 0;
  const housekeeping = new Housekeeping(
    { query: never } as unknown as Given[0],
    { sweepOrphans: async () => undefined },
    { destroyUnreferenced: never },
    { run: async () => void retained++ },
  );
  const booting = housekeeping.makePartitions();
  await jest.advanceTimersByTimeAsync(30_000);
  await booting;
  const done = housekeeping.runHourly();
  await jest.advanceTimersByTimeAsync(90_000);
  await done;
  expect(retained).toBe(1);
  expect(logged).toEqual(['sweeper.unavailable partitions', 'sweeper.unavailable secrets']);
});

it('a month that cannot be made fails the step, and the others are made', async () => {
  const made: string[] = [];
  const transaction = {
    query: async (sql: string) => {
      const [, name] = /^CREATE TABLE (\w+)/.exec(sql) ?? [];
      if (name === 'm1') throw new Error('canceling statement due to lock timeout');
      if (name) made.push(name);
      return /missing/.test(sql) ? [{ missing: true }] : [];
    },
  };
  const session = {
    query: async () => ['m1', 'm2'].map((name) => ({ name, from: 'a', to: 'b' })),
    transaction: (work: (inside: object) => unknown) => work(transaction),
  } as unknown as Given[0];
  const nothing = async (): Promise<void> => undefined;
  await new Housekeeping(session, { sweepOrphans: nothing }, {}, { run: nothing }).runHourly();
  expect(made).toEqual(['m2']);
  expect(logged).toEqual(['partitions.created undefined', 'sweeper.unavailable partitions']);
});

describe('housekeeping that is told to stop', () => {
  /** A database in which there is always more to be removed. */
  function endless(stopAt: RegExp) {
    const stop = new Cancellation();
    const late: string[] = [];
    let more = 3;
    const query = async (sql: string): Promise<unknown> => {
      if (stop.aborted) late.push(sql);
      if (late.length > 0) throw new Error('the database was taken away');
      if (/to_regclass|pg_inherits/.test(sql)) return [];
      if (/now\(\) AS now/.test(sql)) return [{ now: new Date() }];
      if (!stopAt.test(sql)) return /AS bytes/.test(sql) ? [] : [[], 0];
      if (--more === 0) stop.abort('shutdown');
      if (/AS bytes/.test(sql)) return [{ payloads: 100, bytes: 1, created_at: '2026-01-01', body_id: 'pld_1' }];
      return [Array.from({ length: 1_000 }, () => ({})), 1_000];
    };
    const session = { query } as unknown as Given[0];
    const periods = { payloadRetentionMs: 1, attemptRetentionMs: 1, deliveryRetentionMs: 1 };
    const store = new PayloadStore(session, 60_000);
    return { stop, late, housekeeping: new Housekeeping(session, store, {}, new Retention(session, periods)) };
  }

  it.each([
    ['orphans', /DELETE FROM agent_data_source_payload_chunk c/],
    ['bodies', /AS bytes/],
    ['attempts', /DELETE FROM agent_data_source_sync_default/],
    ['deliveries', /DELETE FROM agent_data_source_delivery/],
    ['recoveries', /DELETE FROM agent_data_source_recovery/],
    ['completions', /DELETE FROM agent_data_source_job/],
  ])('ends between two batches of %s', async (_what, stopAt) => {
    const { stop, late, housekeeping } = endless(stopAt);
    await housekeeping.runHourly(stop);
    expect(stop.aborted).toBe(true);
    expect(late).toEqual([]);
  });
});
