import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AttemptPartitions } from '../../../../src/data-sinks/upkeep/attempt-partitions.js';
import { Upkeep } from '../../../../src/data-sinks/upkeep/upkeep.js';
import { BoundSecretVault } from '../../../../src/data-sinks/ports/bound/index.js';
import type { SecretVault } from '../../../../src/data-sinks/ports/secret-vault.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';
import { newOutages } from '../../../support/outages.js';

const EVERY_SWEEP = ['leases', 'parts', 'audit', 'overlaps', 'leftovers', 'missed'] as const;
const EVERY_HOUR = ['partitions', 'orphans', 'secrets', 'retention'] as const;
const ALL = [...EVERY_SWEEP, ...EVERY_HOUR] as const;
type Step = (typeof ALL)[number] | 'recoveries';

const HOUR_MS = 3_600_000;

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

/** An upkeep whose steps say that they were asked, and throw while they are away. */
function upkeepOf(...broken: Step[]) {
  const away = new Set<Step>(broken);
  const asked: Step[] = [];
  const during = new Map<Step, () => unknown>();
  const ask = (step: Step) => async () => {
    asked.push(step);
    await during.get(step)?.();
    if (away.has(step)) throw new Error(`${step} is away`);
  };
  const upkeep = new Upkeep(
    stub({ takeBack: ask('leases') }),
    stub({ repair: ask('parts') }),
    stub({ pass: ask('audit') }),
    stub({ sweep: ask('overlaps') }),
    stub({ sweep: ask('leftovers') }),
    stub({ recover: ask('missed') }),
    stub({ create: ask('partitions') }),
    stub({ sweepOrphans: ask('orphans') }),
    stub({ destroyUnreferenced: () => ask('secrets')().then(() => 0) }),
    stub({ run: ask('retention') }),
    stub({ look: ask('recoveries') }),
    newOutages(),
    stub({ sweepMs: 10_000, pollMs: 1_000 }),
  );
  return { upkeep, asked, away, during };
}

describe('a sweep', () => {
  it('does some things each time, and what reads whole tables once an hour', async () => {
    const { upkeep, asked } = upkeepOf();
    await upkeep.sweep();
    await upkeep.sweep();
    expect(asked).toEqual([...ALL, ...EVERY_SWEEP]);
    aheadMs = HOUR_MS + 1;
    await upkeep.sweep();
    expect(asked).toEqual([...ALL, ...EVERY_SWEEP, ...ALL]);
    expect(logged).toEqual([]);
  });

  it.each(EVERY_SWEEP)('does the rest when %s cannot be had, and says so once', async (step) => {
    const { upkeep, asked, away } = upkeepOf(step);
    await upkeep.sweep();
    expect(asked).toEqual(ALL);
    await upkeep.sweep();
    expect(logged).toEqual([`sweeper.unavailable ${step}`]);
    away.clear();
    await upkeep.sweep();
    expect(logged).toEqual([`sweeper.unavailable ${step}`, `sweeper.available_again ${step}`]);
  });

  it.each(EVERY_HOUR)('does the rest while %s fails, tries it once an hour, and says so once', async (step) => {
    const { upkeep, asked, away } = upkeepOf(step);
    await upkeep.sweep();
    await upkeep.sweep();
    expect(asked).toEqual([...ALL, ...EVERY_SWEEP]);
    aheadMs = HOUR_MS + 1;
    await upkeep.sweep();
    expect(logged).toEqual([`sweeper.unavailable ${step}`]);
    away.clear();
    aheadMs += HOUR_MS + 1;
    await upkeep.sweep();
    expect(logged).toEqual([`sweeper.unavailable ${step}`, `sweeper.available_again ${step}`]);
  });

  it('tells of an outage that begins during another one', async () => {
    const { upkeep, away } = upkeepOf('missed');
    await upkeep.sweep();
    away.add('leases');
    await upkeep.sweep();
    expect(logged).toEqual(['sweeper.unavailable missed', 'sweeper.unavailable leases']);
  });

  it('that is stopped ends after the step that it is at, and says nothing of what that one is told', async () => {
    const { upkeep, asked, during } = upkeepOf('parts');
    during.set('parts', () => void upkeep.stop());
    await upkeep.sweep();
    expect(asked).toEqual(['leases', 'parts']);
    expect(logged).toEqual([]);
  });

  it('that is under way is not begun a second time', async () => {
    const { upkeep, asked } = upkeepOf();
    await Promise.all([upkeep.sweep(), upkeep.sweep()]);
    expect(asked).toEqual(ALL);
  });
});

describe('the upkeep', () => {
  it('makes partitions ahead of the first claim, and a database that is away then stops no boot', async () => {
    const { upkeep, asked } = upkeepOf('partitions');
    await upkeep.makePartitions();
    expect(asked).toEqual(['partitions']);
    expect(logged).toEqual(['sweeper.unavailable partitions']);
  });

  it('paces recoveries every second, also while a sweep hangs, until it is stopped', async () => {
    jest.useFakeTimers();
    const { upkeep, asked, during } = upkeepOf();
    let isOver: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => (isOver = resolve));
    during.set('leases', () => hanging);
    const looks = (): number => asked.filter((step) => step === 'recoveries').length;
    upkeep.start();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(looks()).toBe(4);
    isOver();
    await upkeep.stop();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(looks()).toBe(4);
  });

  it('says once that recoveries cannot be paced, and once that they can again', async () => {
    jest.useFakeTimers();
    const { upkeep, away } = upkeepOf('recoveries');
    upkeep.start();
    await jest.advanceTimersByTimeAsync(2_000);
    away.clear();
    await jest.advanceTimersByTimeAsync(1_000);
    await upkeep.stop();
    expect(logged).toEqual(['recoveries.unavailable undefined', 'recoveries.available_again undefined']);
  });

  it('is held up neither by a vault nor by a database that never answers', async () => {
    jest.useFakeTimers();
    const never = (): Promise<never> => new Promise(() => undefined);
    const nothing = async (): Promise<void> => undefined;
    let retained = 0;
    const upkeep = new Upkeep(
      stub({ takeBack: nothing }),
      stub({ repair: nothing }),
      stub({ pass: nothing }),
      stub({ sweep: nothing }),
      stub({ sweep: nothing }),
      stub({ recover: nothing }),
      new AttemptPartitions(fakeDatabase(never)),
      stub({ sweepOrphans: nothing }),
      new BoundSecretVault({ destroyUnreferenced: never } as unknown as SecretVault, { answerMs: 1, sweepMs: 60_000 }),
      stub({ run: async () => void retained++ }),
      stub({ look: nothing }),
      newOutages(),
      stub({ sweepMs: 10_000, pollMs: 1_000 }),
    );
    const booting = upkeep.makePartitions();
    await jest.advanceTimersByTimeAsync(30_000);
    await booting;
    const done = upkeep.sweep();
    await jest.advanceTimersByTimeAsync(90_000);
    await done;
    expect(retained).toBe(1);
    expect(logged).toEqual(['sweeper.unavailable partitions', 'sweeper.unavailable secrets']);
  });
});
