import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { MappingResultRow } from '../../../src/data-sinks/domain/job-completed.js';
import { BodyThreadClient } from '../../../src/data-sinks/payload/body-thread-client.js';
import { PayloadBodies } from '../../../src/data-sinks/payload/payload-bodies.js';
import { PayloadBuilder } from '../../../src/data-sinks/payload/payload-builder.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { ModuleDatabase, newId } from './module-database.js';
import { Telemetry } from '../../../src/data-sinks/telemetry/telemetry.js';
import { stub } from '../../support/stub.js';

const LEASE_MS = 60_000;
const FACTS = {
  ...{ jobId: 'job_1', run: 1, agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date('2026-05-25T12:34:56Z') },
  stats: { total: 20, matched: 20, unmatched: 0 },
};

let database: ModuleDatabase;
const bodyThread = new BodyThreadClient();

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(async () => {
  await database.clear();
  const sink = await database.sink();
  await database.delivery(sink, { job_id: 'job_1', recipe: PART, part: 1, part_count: 5 });
  // Of the timers only those: the database has others.
  const real = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'] as const;
  jest.useFakeTimers({ doNotFake: [...real, 'Date', 'performance', 'hrtime'] });
});
afterEach(() => void jest.useRealTimers());
afterAll(async () => {
  await bodyThread.close();
  await database.dataSource.destroy();
});

/** The first part of a job whose others nobody waits for. */
const PART = 'JSON;rows=4;part=1/5';
const WHOLE = 'JSON';

type When = 'before the first rows' | 'between two batches' | 'never';

/** Twenty rows, each of which is a chunk of its own, from a host that takes its time. */
class SlowResults {
  passes = 0;
  batches = 0;

  constructor(
    private readonly when: When,
    private readonly passing: () => Promise<void>,
  ) {}

  async streamRows(): Promise<AsyncIterable<readonly MappingResultRow[]>> {
    this.passes++;
    if (this.when === 'before the first rows') await this.passing();
    return this.#rows();
  }

  async *#rows(): AsyncGenerator<readonly MappingResultRow[]> {
    for (let i = 0; i < 20; i++) {
      // Where a body in one piece has its lease, and the part that is wanted is done.
      if (this.when === 'between two batches' && i === 10) await this.passing();
      this.batches++;
      const partnerRowId = `${i}`.padStart(1024 * 1024, '_');
      yield [{ partnerRowId, referenceHotelId: null, matchMethod: null, matchConfidence: null }];
    }
  }
}

/** The store of one worker, and what its extensions came to. */
class WatchedStore extends PayloadStore {
  extended: Promise<boolean>[] = [];

  override extendBuild(...build: Parameters<PayloadStore['extendBuild']>): Promise<boolean> {
    const extended = super.extendBuild(...build);
    this.extended.push(extended);
    return extended;
  }
}

function worker(when: When, passing: (store: WatchedStore) => Promise<void>) {
  const store = new WatchedStore(databaseOf(database.manager), stub({ leaseMs: LEASE_MS }));
  const results = new SlowResults(when, () => passing(store));
  const bodies = new PayloadBodies(
    new PayloadBuilder(stub(results), store, newId, bodyThread),
    store,
    stub({ payloadCacheBytes: 0 }),
    new Telemetry(),
  );
  return { results, store, obtain: (recipe: string) => bodies.obtain({ ...FACTS, recipe, payload: null }) };
}

const quick = () => worker('never', async () => undefined);

/** Time passes for the database and then for this process, as its timers have it. */
async function pass(ms: number, store: WatchedStore): Promise<void> {
  await database.advance(ms);
  jest.advanceTimersByTime(ms);
  await Promise.all(store.extended);
}

describe('a build whose host takes two leases', () => {
  it.each([
    ['before the first rows', PART],
    ['between two batches', PART],
    ['between two batches', WHOLE],
  ] as const)('%s is not taken over: %s', async (when, recipe) => {
    const other = quick();
    const refused: unknown[] = [];
    const slow = worker(when, async (store) => {
      for (let passed = 0; passed < 2 * LEASE_MS; passed += LEASE_MS / 3) await pass(LEASE_MS / 3, store);
      await other.obtain(recipe).catch(({ code }: { code: string }) => refused.push(code));
    });
    const { payload } = await slow.obtain(recipe);
    expect(refused).toEqual(['payload_being_built']);
    expect(payload.rows).toBe(recipe === PART ? 4 : 20);
    expect(slow.store.extended).toHaveLength(6);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([PART, WHOLE])('and that was taken over all the same is given up: %s', async (recipe) => {
    const other = quick();
    const slow = worker('between two batches', async (store) => {
      // A process that was stopped for so long.
      await database.advance(LEASE_MS + 1);
      await other.obtain(recipe);
      await pass(LEASE_MS / 3, store);
    });
    await expect(slow.obtain(recipe)).rejects.toMatchObject({ code: 'payload_being_built' });
    // It reads no further than the batch that came then, and one ahead.
    expect(slow.results.batches).toBeLessThanOrEqual(12);
    expect(await Promise.all(slow.store.extended)).toEqual([false]);
    expect(jest.getTimerCount()).toBe(0);
    expect((await other.obtain(recipe)).payload.rows).toBe(recipe === PART ? 4 : 20);
  });
});
