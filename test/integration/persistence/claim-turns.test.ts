import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { claimDeliveries } from '../../../src/data-sinks/queue/claim-deliveries.js';
import { ClaimTurns } from '../../../src/data-sinks/queue/claim-turns.js';
import { CONFIG, ModuleDatabase } from './module-database.js';
import { insertCompletions } from './completions.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const LIMITS = {
  batch: 64,
  inFlightPerSink: 16,
  inFlightPerWorkspace: 128,
  leaseMs: 60_000,
  leasePrefix: new ThisWorker().leasePrefix,
};
const turn = (limits: Partial<typeof LIMITS> = {}) =>
  claimDeliveries(databaseOf(database.manager), { ...LIMITS, ...limits });

async function sinkWith(deliveries: number, given: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const sink = await database.sink(given);
  for (let i = 0; i < deliveries; i++) await database.delivery(sink, { dueInMs: -1_000 + i });
  return sink;
}

/** Claims until there is nothing more that could go at once. */
async function round(limits: Partial<typeof LIMITS> = {}) {
  const turns = new ClaimTurns(databaseOf(database.manager));
  turns.begin();
  const taken: string[] = [];
  for (let claims = 1; ; claims++) {
    const found = await turns.next({ ...LIMITS, ...limits });
    taken.push(...sinksOf(found));
    if (found.more !== 'now') return { taken, claims, more: found.more };
  }
}

const sinksOf = (claim: { deliveries: readonly { dataSourceId: string }[] }) =>
  claim.deliveries.map(({ dataSourceId }) => dataSourceId).sort();

describe('a round of claims', () => {
  it('continues after the last sink, and starts again at the end', async () => {
    const [one, two, three] = [await sinkWith(5), await sinkWith(5), await sinkWith(5)];
    const turns = new ClaimTurns(databaseOf(database.manager));
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(...sinksOf(await turns.next({ ...LIMITS, batch: 1 })));
    expect(seen).toEqual([one, two, three, one]);
  });

  it('reports whether everything due was taken', async () => {
    await sinkWith(3);
    await sinkWith(2);
    expect(await turn()).toMatchObject({ exhausted: true, capped: false });
    const sinks = [];
    for (let i = 0; i < 30; i++) sinks.push(await sinkWith(1));
    expect(await turn({ batch: 8 })).toMatchObject({ exhausted: false });
    await database.clear();
    expect(await turn()).toEqual({
      ...{ deliveries: [], cameRound: true, places: new Map(), exhausted: true, capped: false },
      ...{ fullWorkspaces: [], pacedMs: null, answeredAt: expect.any(Date) },
    });
  });

  it('reports when a limit was reached, even if nothing could be taken', async () => {
    await sinkWith(3);
    expect(await turn({ inFlightPerSink: 2 })).toMatchObject({ capped: true });
    const full = await turn({ inFlightPerSink: 2 });
    expect(full).toMatchObject({ deliveries: [], capped: true });
  });

  it('visits every sink within it, whatever the batches', async () => {
    const sinks = [];
    for (let i = 0; i < 23; i++) sinks.push(await sinkWith(1 + (i % 3)));
    const { taken, claims, more } = await round({ batch: 8 });
    expect(new Set(taken)).toEqual(new Set(sinks));
    expect([taken.length, more]).toEqual([45, 'none']);
    expect(claims).toBeLessThan(20);
  });

  it('is not ended by the limit of some sinks: the others get their turn first', async () => {
    for (let i = 0; i < 40; i++) await sinkWith(2);
    await turn({ batch: 8, inFlightPerWorkspace: 8 });
    const other = await database.sink({ workspace_id: 'ws_2' });
    await database.delivery(other, { workspace_id: 'ws_2' });
    const { taken, more } = await round({ batch: 8, inFlightPerWorkspace: 8 });
    expect([taken, more]).toEqual([[other], 'room']);
  });

  it('skips thousands of sinks that wait for a later time or are at their limit', async () => {
    await insertCompletions(database.manager, ['job_x']);
    await database.all(
      `INSERT INTO agent_data_source_delivery
         (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, retries_allowed, next_attempt_at)
       SELECT 'dlv_' || n, 'ws_1', 'agt_1', 'ads_0' || lpad(n::text, 5, '0'), 'job_x', 1, 'JSON', 'AUTO', 'RETRYING', 2,
              now() + interval '1 hour' FROM generate_series(1, 1200) n`,
    );
    const full = await database.sink({ id: 'ads_00003x' });
    for (let i = 0; i < 2; i++) await database.delivery(full);
    await turn({ inFlightPerSink: 1 });
    const due = await sinkWith(1);
    const { taken, claims, more } = await round({ inFlightPerSink: 1 });
    expect([taken, more]).toEqual([[due], 'room']);
    expect(claims).toBeLessThan(7);
  });

  it('ends when a round has found nothing to send', async () => {
    for (let i = 0; i < 3; i++) {
      const sink = await database.sink();
      await database.delivery(sink, { status: 'RETRYING', dueInMs: 60_000 });
    }
    const turns = new ClaimTurns(databaseOf(database.manager));
    expect(await turns.next(LIMITS)).toMatchObject({ deliveries: [], more: 'none' });
  });

  it('waits when a limit left too little for a batch', async () => {
    await sinkWith(20);
    const turns = new ClaimTurns(databaseOf(database.manager));
    const first = await turns.next(LIMITS);
    expect([first.deliveries.length, first.more]).toEqual([16, 'room']);
    expect(await turns.next(LIMITS)).toMatchObject({ deliveries: [], more: 'room' });
  });
});

describe('the limit of a workspace', () => {
  it('applies to all its sinks, and does not affect other workspaces', async () => {
    const mine = [await sinkWith(4), await sinkWith(4)];
    const other = await database.sink({ workspace_id: 'ws_2' });
    for (let i = 0; i < 4; i++) await database.delivery(other, { workspace_id: 'ws_2' });
    const first = await turn({ inFlightPerWorkspace: 3 });
    expect(sinksOf(first).filter((sink) => sink !== other)).toHaveLength(3);
    expect(sinksOf(first).filter((sink) => sink === other)).toHaveLength(3);
    expect(new Set(sinksOf(first).filter((sink) => sink !== other))).toEqual(new Set(mine));
    expect(first.capped).toBe(true);
    expect(await turn({ inFlightPerWorkspace: 3 })).toMatchObject({ deliveries: [] });
  });
});

describe('a paused sink', () => {
  const later = async (ms: number) => new Date((await database.now()) + ms);

  it('holds back new deliveries, and sends retries when they are due', async () => {
    const sink = await sinkWith(3, { failures_in_row: 5, paused_until: await later(60_000) });
    const retry = await database.delivery(sink, { status: 'RETRYING', attempt_count: 1 });
    expect((await turn()).deliveries.map(({ id }) => id)).toEqual([retry]);
  });

  it('sends one new delivery at a time after the pause, until one succeeds', async () => {
    const sink = await sinkWith(3, { failures_in_row: 5, paused_until: await later(60_000) });
    await database.advance(61_000);
    expect((await turn()).deliveries).toMatchObject([{ dataSourceId: sink, sink: { failuresInRow: 5 } }]);
    expect((await turn()).deliveries).toEqual([]);
    await database.all('UPDATE agent_data_source SET failures_in_row = 0, paused_until = NULL WHERE id = $1', [sink]);
    expect((await turn()).deliveries).toHaveLength(2);
  });

  it('sends that one beside due retries, and reports that others wait', async () => {
    const sink = await sinkWith(2, { failures_in_row: 5, paused_until: await later(-1_000) });
    const retry = await database.delivery(sink, { status: 'RETRYING', attempt_count: 1 });
    const both = await turn();
    expect(both.deliveries.map(({ attemptCount }) => attemptCount).sort()).toEqual([0, 1]);
    expect(both.deliveries.map(({ id }) => id)).toContain(retry);
    expect(both.capped).toBe(true);
    await database.delivery(sink, { status: 'RETRYING', attempt_count: 1 });
    const another = await turn();
    expect(another.deliveries).toMatchObject([{ attemptCount: 1 }]);
    expect(another.capped).toBe(true);
  });
});

describe('a sink with a rate limit', () => {
  const paced = (maxPushesPerSecond: number) => ({ config: JSON.stringify({ ...CONFIG, maxPushesPerSecond }) });

  it('sends no more than that in a second, and the rest in the next ones', async () => {
    await sinkWith(12, paced(5));
    const first = await turn();
    expect(first.deliveries).toHaveLength(5);
    expect(first.pacedMs).toBe(200);
    expect((await turn()).deliveries).toHaveLength(0);
    await database.advance(400);
    expect((await turn()).deliveries).toHaveLength(2);
    await database.advance(10_000);
    expect((await turn()).deliveries).toHaveLength(5);
  });

  it('may send less than one in a second', async () => {
    await sinkWith(3, paced(0.5));
    expect((await turn()).deliveries).toHaveLength(1);
    await database.advance(1_000);
    expect((await turn()).deliveries).toHaveLength(0);
    await database.advance(1_000);
    expect((await turn()).deliveries).toHaveLength(1);
  });

  it('does not delay others', async () => {
    await sinkWith(12, paced(1));
    const free = await sinkWith(3);
    expect(sinksOf(await turn()).filter((sink) => sink === free)).toHaveLength(3);
  });
});
