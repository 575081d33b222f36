import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import { ClaimTurns } from '../../../src/data-sinks/queue/claim-turns.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';
import { insertCompletions } from './completions.js';
import { CONFIG, ModuleDatabase } from './module-database.js';

let database: ModuleDatabase;
let turns: ClaimTurns;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(async () => {
  await database.clear();
  turns = new ClaimTurns(databaseOf(database.manager));
});
afterAll(() => database.dataSource.destroy());

const MANY = 10_000;
/** The caps are raised: only turns decide. */
const LIMITS = {
  batch: 64,
  inFlightPerSink: 1_000,
  inFlightPerWorkspace: 100_000,
  leaseMs: 60_000,
  leasePrefix: new ThisWorker().leasePrefix,
};
type Limits = Partial<typeof LIMITS>;

/** One delivery for each of so many sinks of a workspace, whose ids sort in the order of their numbers. */
async function fill(workspaceId: string, sinks: number, due = 'now()', status = 'PENDING'): Promise<void> {
  await insertCompletions(database.manager, ['job_1'], workspaceId);
  await database.all(
    `INSERT INTO agent_data_source_delivery
       (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, retries_allowed, next_attempt_at)
     SELECT 'dlv_' || $1::text || n, $1, 'agt_1', 'ads_' || $1::text || lpad(n::text, 5, '0'), 'job_1', 1, 'JSON', 'AUTO', $3, 2,
            ${due} FROM generate_series(1, $2::int) n`,
    [workspaceId, sinks, status],
  );
}

const deliver = (workspaceId: string, sink = `ads_${workspaceId}_one`) =>
  database.delivery(sink, { workspace_id: workspaceId });

const claim = async (limits: Limits = {}): Promise<readonly ClaimedDelivery[]> =>
  (await turns.next({ ...LIMITS, ...limits })).deliveries;

const shares = (deliveries: readonly ClaimedDelivery[]): Record<string, number> => {
  const counts = new Map<string, number>();
  for (const { workspaceId } of deliveries) counts.set(workspaceId, (counts.get(workspaceId) ?? 0) + 1);
  return Object.fromEntries(counts);
};

/** A series of claims, until there is nothing more that could go at once. */
async function series(
  limits: Limits = {},
  most = 400,
): Promise<{ taken: ClaimedDelivery[]; claims: number; more: string }> {
  turns.begin();
  const taken: ClaimedDelivery[] = [];
  for (let claims = 1; claims <= most; claims++) {
    const { deliveries, more } = await turns.next({ ...LIMITS, ...limits });
    taken.push(...deliveries);
    if (more !== 'now') return { taken, claims, more };
  }
  throw new Error(`the series does not end within ${most} claims`);
}

describe('a workspace with ten thousand waiting sinks', () => {
  it.each(['a', 'z'])('lets the only delivery of another go in the next claim, if it is called %s', async (many) => {
    await fill(many, MANY);
    for (let i = 0; i < 3; i++) expect(shares(await claim())).toEqual({ [many]: 8 });
    const only = await deliver('m');
    expect((await claim()).map(({ id }) => id)).toContain(only);
  });

  it('leaves a place in every claim to one whose deliveries arrive again and again', async () => {
    await fill('a', MANY);
    for (let i = 0; i < 12; i++) {
      const next = await deliver('b');
      const claimed = await claim();
      expect(claimed.map(({ id }) => id)).toContain(next);
      expect(shares(claimed)).toEqual({ a: 7, b: 1 });
    }
  });

  it('leaves one of two claims to it even if claims have room for one only', async () => {
    await fill('a', MANY);
    for (let i = 0; i < 6; i++) await deliver('b');
    const order = [];
    for (let i = 0; i < 6; i++) order.push(...Object.keys(shares(await claim({ batch: 1 }))));
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('takes half of a batch beside one that has a long queue for one sink', async () => {
    await fill('a', MANY);
    for (let sink = 1; sink < 40; sink++) {
      for (let i = 0; i < 8; i++)
        await database.delivery(`ads_a${String(sink).padStart(5, '0')}`, { workspace_id: 'a' });
    }
    for (let i = 0; i < 80; i++) await deliver('b');
    expect(shares(await claim())).toEqual({ a: 32, b: 32 });
    expect(shares(await claim())).toEqual({ a: 32, b: 32 });
  });

  it('does not delay another while all of them wait for a later time', async () => {
    await fill('a', MANY, `now() + interval '1 hour'`, 'RETRYING');
    turns.begin();
    for (let i = 0; i < 5; i++) {
      expect(shares(await claim())).toEqual({});
      const next = await deliver('b');
      expect((await claim()).map(({ id }) => id)).toEqual([next]);
    }
    const { taken, claims, more } = await series();
    expect({ taken, more }).toEqual({ taken: [], more: 'none' });
    expect(claims).toBeLessThan(25);
  });

  it('is passed by in one step while it is at its limit', async () => {
    await fill('a', MANY);
    await deliver('b');
    const first = await series({ inFlightPerWorkspace: 4 });
    expect(shares(first.taken)).toEqual({ a: 4, b: 1 });
    expect(first.more).toBe('room');
    await deliver('b');
    const second = await series({ inFlightPerWorkspace: 4 });
    expect(shares(second.taken)).toEqual({ b: 1 });
    expect(second).toMatchObject({ more: 'room', claims: 2 });
  });
});

describe('the turns of workspaces', () => {
  it('go round two hundred of them before any has a second one', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `ws_${i}`);
    for (const name of names) await fill(name, 3);
    for (let round = 1; round <= 3; round++) {
      const taken = [];
      for (let i = 0; i < 25; i++) taken.push(...(await claim()));
      expect(shares(taken)).toEqual(Object.fromEntries(names.map((name) => [name, 1])));
      expect(new Set(taken.map(({ dataSourceId }) => dataSourceId.slice(-5)))).toEqual(new Set([`0000${round}`]));
    }
    expect(await series()).toMatchObject({ taken: [], more: 'none' });
  });

  it('serve every sink of each once before any twice', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `ws_${i}`);
    for (const name of names) for (const job of ['job_1', 'job_2']) await fillJob(name, 20, job);
    const bySink = new Map<string, number>();
    for (let i = 0; i < Math.floor((9 * 20) / 8); i++) {
      for (const { dataSourceId } of await claim({ batch: 8 }))
        bySink.set(dataSourceId, (bySink.get(dataSourceId) ?? 0) + 1);
      expect(Math.max(...bySink.values())).toBe(1);
    }
  });

  it('come to all, whatever they are called', async () => {
    const names = [
      '__proto__',
      'constructor',
      'B',
      'a',
      'Ä',
      'ws "x"',
      "ws'\\",
      '10',
      '9',
      ' ',
      '{}',
      '漢字',
      'z'.repeat(200),
    ];
    for (const name of names) await fill(name, 5);
    const { taken, more } = await series({ batch: 2 });
    expect(Object.entries(shares(taken)).sort()).toEqual(names.map((name) => [name, 5]).sort());
    expect(more).toBe('none');
  });

  it('end when nobody may send for the sake of a rate, however many sinks there are', async () => {
    const config = JSON.stringify({ ...CONFIG, maxPushesPerSecond: 0.001 });
    for (let i = 0; i < 30; i++) {
      const workspace = `ws_${i % 3}`;
      const sink = await database.sink({ workspace_id: workspace, config });
      for (let n = 0; n < 2; n++) await deliver(workspace, sink);
    }
    const { taken, more } = await series({ batch: 8 }, 40);
    expect([taken.length, more]).toEqual([30, 'none']);
    expect(await series({ batch: 8 }, 40)).toMatchObject({ taken: [], more: 'none' });
  });
});

async function fillJob(workspaceId: string, sinks: number, job: string): Promise<void> {
  await insertCompletions(database.manager, [job], workspaceId);
  for (let n = 0; n < sinks; n++) {
    await database.delivery(`ads_${workspaceId}_${String(n).padStart(5, '0')}`, {
      workspace_id: workspaceId,
      job_id: job,
    });
  }
}
