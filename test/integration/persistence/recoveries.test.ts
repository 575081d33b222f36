import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import {
  cancelRecovery,
  findUnfinished,
  finishRecovery,
  lockUnfinished,
  redeliverNext,
} from '../../../src/data-sinks/recovery/recovery-pacer.sql.js';
import { RecoveryRepository } from '../../../src/data-sinks/recovery/recovery.repository.js';
import { removeExpired } from '../../../src/data-sinks/upkeep/retention.sql.js';
import { ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;
let recoveries: RecoveryRepository;
let sink: string;

beforeAll(async () => {
  database = await ModuleDatabase.open();
  recoveries = new RecoveryRepository(databaseOf(database.manager));
});
beforeEach(async () => {
  await database.clear();
  sink = await database.sink();
});
afterAll(() => database.dataSource.destroy());

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const scope = (dataSourceId = sink) => ({ workspaceId: 'ws_1', dataSourceId });
const ago = async (minutes: number) => new Date((await database.now()) - minutes * MINUTE_MS);

async function failed(minutesAgo: number, given: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const settled = { status: 'FAILED', reason: 'retries_exhausted', dueInMs: null, settled_at: await ago(minutesAgo) };
  return database.delivery(sink, { ...settled, attempt_count: 3, ...given });
}

async function start(minutesAgo = 60, limit = 100): Promise<string> {
  const since = await ago(minutesAgo);
  const { until, failed: total } = await recoveries.survey(scope(), { since }, limit);
  const id = newId('recovery');
  const requestedBy = { type: 'token', id: 'tok_1' };
  expect(
    await recoveries.start(
      { id, ...scope(), agentId: 'agt_1', since, until, total, requestedBy },
      databaseOf(database.manager),
    ),
  ).toBe(true);
  return id;
}

const next = (id: string, window = 100): Promise<number> => redeliverNext(databaseOf(database.manager), id, window);
const read = (id: string) => recoveries.find(scope(), id);
const settle = (ids: readonly string[], status: string): Promise<unknown> =>
  database.all(
    `UPDATE agent_data_source_delivery SET status = $2, settled_at = now(), next_attempt_at = NULL WHERE id = ANY ($1)`,
    [ids, status],
  );

describe('a survey', () => {
  it('counts failures in the period, of this sink and workspace, up to its limit', async () => {
    const [, second] = [await failed(70), await failed(50), await failed(40), await failed(30)];
    await failed(45, { status: 'DELIVERED' });
    await failed(45, { data_source_id: await database.sink() });
    await failed(45, { workspace_id: 'ws_2' });
    const since = await ago(60);
    expect(await recoveries.survey(scope(), { since }, 100)).toMatchObject({ failed: 3, limitReachedAt: null });
    expect(await recoveries.survey(scope(), { since }, 3)).toMatchObject({ failed: 3, limitReachedAt: null });
    const { failed: counted, limitReachedAt } = await recoveries.survey(scope(), { since }, 1);
    expect([counted, await recoveries.survey(scope(), { since, until: limitReachedAt ?? since }, 1)]).toMatchObject([
      2,
      { failed: 1, limitReachedAt: null },
    ]);
    expect(await database.one('delivery', second)).toMatchObject({ status: 'FAILED' });
  });

  it('ends at the present at the latest', async () => {
    const present = await database.now();
    const { until, now } = await recoveries.survey(
      scope(),
      { since: new Date(0), until: new Date(present + DAY_MS) },
      1,
    );
    expect(until.getTime()).toBeLessThanOrEqual(now.getTime());
    expect((await recoveries.survey(scope(), { since: new Date(0), until: new Date(1) }, 1)).until).toEqual(
      new Date(1),
    );
  });
});

describe('a recovery', () => {
  it('makes its deliveries due like a redelivery, in the order in which they failed, within its window', async () => {
    const [third, first, second] = [await failed(10), await failed(30), await failed(20)];
    const id = await start();
    expect(await next(id, 2)).toBe(2);
    for (const one of [first, second]) {
      expect(await database.one('delivery', one)).toMatchObject({
        ...{ status: 'RETRYING', trigger: 'REDELIVERY', reason: null, settled_at: null, recovery_id: id },
        ...{ retries_allowed: 0, attempt_count: 3 },
      });
    }
    expect(await database.one('delivery', third)).toMatchObject({ status: 'FAILED', recovery_id: null });
    expect(await next(id, 2)).toBe(0);
    await settle([first], 'DELIVERED');
    expect(await next(id, 2)).toBe(1);
    expect(await read(id)).toMatchObject({ total: 3, redelivered: 3, delivered: 1, failed: 0, waiting: 2 });
  });

  it('is finished when the last one has ended, and its counts then stay', async () => {
    const ids = [await failed(3), await failed(2), await failed(1)];
    const id = await start();
    expect(await finishRecovery(databaseOf(database.manager), id)).toBeNull();
    await next(id);
    await settle(ids.slice(0, 1), 'DELIVERED');
    await settle(ids.slice(1, 2), 'CANCELLED');
    expect(await finishRecovery(databaseOf(database.manager), id)).toBeNull();
    await database.advance(MINUTE_MS);
    await settle(ids.slice(2), 'FAILED');
    const ended = { redelivered: 3, delivered: 1, failed: 1, cancelled: 1 };
    expect(await next(id)).toBe(0);
    expect(await finishRecovery(databaseOf(database.manager), id)).toEqual({ status: 'DONE', ...ended });
    await new DeliveryRepository(databaseOf(database.manager)).redeliver('ws_1', ids[2] ?? '');
    expect(await read(id)).toMatchObject({ status: 'DONE', ...ended, waiting: 0, finishedAt: expect.any(Date) });
    expect(await finishRecovery(databaseOf(database.manager), id)).toBeNull();
    expect(await findUnfinished(databaseOf(database.manager))).toEqual([]);
  });

  it('continues from the state in the table, in any process', async () => {
    const all = new Set<string>();
    for (let i = 0; i < 10; i++) all.add(await failed(20 - i));
    const id = await start();
    for (let made = 0; made < 10;) {
      const [unfinished] = await findUnfinished(databaseOf(database.manager));
      expect(unfinished).toMatchObject({ id, sink: { status: 'ACTIVE', deletedAt: null } });
      // A process that dies in its transaction has done nothing.
      const dies = database.manager.transaction(async (transaction) => {
        await lockUnfinished(databaseOf(transaction), id);
        expect(await redeliverNext(databaseOf(transaction), id, 3)).toBeGreaterThan(0);
        throw new Error('it dies');
      });
      await expect(dies).rejects.toThrow('it dies');
      expect(await read(id)).toMatchObject({ redelivered: made, waiting: 0 });
      made += await next(id, 3);
      const waiting = await database.all<{ id: string }>(
        `SELECT id FROM agent_data_source_delivery WHERE status IN ('PENDING', 'RETRYING')`,
      );
      await settle(
        waiting.map((row) => row.id),
        'DELIVERED',
      );
    }
    expect(await finishRecovery(databaseOf(database.manager), id)).toMatchObject({
      status: 'DONE',
      redelivered: 10,
      delivered: 10,
    });
  });

  it('counts deliveries redelivered manually, or by the next recovery, as they ended', async () => {
    const ids = [await failed(3), await failed(2), await failed(1)];
    const [byHand = '', again = ''] = ids;
    const id = await start();
    await next(id);
    await cancelRecovery(databaseOf(database.manager), id, 'requested');
    await database.advance(MINUTE_MS);
    await settle([byHand], 'DELIVERED');
    await settle([again], 'FAILED');
    await database.advance(MINUTE_MS);
    const counts = { redelivered: 3, delivered: 1, failed: 1, waiting: 1 };
    expect(await read(id)).toMatchObject(counts);
    await new DeliveryRepository(databaseOf(database.manager)).redeliver('ws_1', byHand);
    const second = await start();
    expect(await next(second)).toBe(1);
    expect(await read(id)).toMatchObject(counts);
    expect(await read(second)).toMatchObject({ total: 1, redelivered: 1, waiting: 1 });
    await settle(ids, 'CANCELLED');
    expect(await finishRecovery(databaseOf(database.manager), id)).toEqual({
      ...{ status: 'CANCELLED', redelivered: 3, delivered: 1, failed: 1, cancelled: 1 },
    });
  });

  it.each([
    ['DISABLED', { status: 'DISABLED' }, 0],
    ['INACTIVE', { status: 'INACTIVE' }, 1],
    ['deleted', { status: 'INACTIVE', deleted_at: new Date(0) }, 1],
  ])('makes nothing due for a sink that is %s', async (_name, given, looked) => {
    sink = await database.sink(given);
    const id = await failed(1);
    const recovery = await start();
    expect(await findUnfinished(databaseOf(database.manager))).toHaveLength(looked);
    expect(await next(recovery)).toBe(0);
    expect(await database.one('delivery', id)).toMatchObject({ status: 'FAILED' });
  });

  it('is limited to one at a time per sink', async () => {
    await failed(1);
    const id = await start();
    const { runningId, until, now: since } = await recoveries.survey(scope(), { since: new Date(0) }, 1);
    expect(runningId).toBe(id);
    const another = {
      id: newId('recovery'),
      agentId: 'agt_1',
      since,
      until,
      total: 1,
      requestedBy: { type: 't', id: 'x' },
    };
    expect(await recoveries.start({ ...another, ...scope() }, databaseOf(database.manager))).toBe(false);
    expect(await recoveries.start({ ...another, ...scope('ads_2') }, databaseOf(database.manager))).toBe(true);
    expect(await cancelRecovery(databaseOf(database.manager), id, 'requested')).toBe(true);
    expect(await cancelRecovery(databaseOf(database.manager), id, 'sink_inactive')).toBe(false);
    expect(
      await recoveries.start({ ...another, id: newId('recovery'), ...scope() }, databaseOf(database.manager)),
    ).toBe(true);
  });

  it('belongs to its workspace and sink only', async () => {
    const id = await start();
    expect(await read(id)).toMatchObject({ id, status: 'DONE', total: 0 });
    expect(await recoveries.find({ ...scope(), workspaceId: 'ws_2' }, id)).toBeNull();
    expect(await recoveries.find(scope('ads_2'), id)).toBeNull();
    expect((await recoveries.list({ ...scope(), workspaceId: 'ws_2' }, { limit: 10, afterId: null })).items).toEqual(
      [],
    );
  });

  it('is deleted with the deliveries of its time, and not before it is finished', async () => {
    await failed(1);
    const done = await start(0.001);
    const running = await start();
    await database.advance(2 * DAY_MS);
    expect(await removeExpired(databaseOf(database.manager), 'recovery', 3 * DAY_MS)).toBe(0);
    expect(await removeExpired(databaseOf(database.manager), 'recovery', DAY_MS)).toBe(1);
    expect([await read(done), await read(running)]).toMatchObject([null, { id: running }]);
  });
});
