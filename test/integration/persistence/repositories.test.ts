import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { DataSink } from '../../../src/data-sinks/domain/data-sink.js';
import { AttemptRepository } from '../../../src/data-sinks/delivery/attempt.repository.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;
let sinks: DataSinkRepository;
let deliveries: DeliveryRepository;

beforeAll(async () => {
  database = await ModuleDatabase.open();
  sinks = new DataSinkRepository(databaseOf(database.manager));
  deliveries = new DeliveryRepository(databaseOf(database.manager));
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const SCOPE = { workspaceId: 'ws_1', agentId: 'agt_1' };
const at = new Date('2026-05-25T12:00:00.123Z');
const aSink = (given: Partial<DataSink> = {}): DataSink => ({
  id: newId('dataSource'),
  ...SCOPE,
  ...{ role: 'RESULTS_SINK', type: 'HTTPS_WEBHOOK', name: 'BI', config: CONFIG, format: 'JSON', status: 'ACTIVE' },
  ...{
    disabledReason: null,
    disabledAt: null,
    pausedUntil: null,
    lastTest: null,
    configVersion: 1,
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
  },
  secret: { id: newId('secret'), hint: '****1234', createdAt: at },
  previousSecret: null,
  ...given,
});

describe('sinks', () => {
  it('are read as they were written', async () => {
    const sink = aSink();
    await sinks.insert(sink, null);
    expect(await sinks.find(SCOPE, sink.id)).toEqual(sink);
  });

  it('of another workspace or agent do not exist', async () => {
    const sink = aSink();
    await sinks.insert(sink, null);
    expect(await sinks.find({ ...SCOPE, workspaceId: 'ws_2' }, sink.id)).toBeNull();
    expect(await sinks.find({ ...SCOPE, agentId: 'agt_2' }, sink.id)).toBeNull();
    expect(await sinks.delete({ ...SCOPE, workspaceId: 'ws_2' }, sink.id)).toBe(false);
    expect(await sinks.count({ workspaceId: 'ws_2' })).toBe(0);
    expect(await sinks.count(SCOPE)).toBe(1);
  });

  it('are listed newest first, page by page, without gaps or duplicates', async () => {
    const all = Array.from({ length: 5 }, () => aSink());
    for (const sink of all) await sinks.insert(sink, null);
    const seen: string[] = [];
    for (let afterId: string | null = null; ;) {
      const page = await sinks.list(SCOPE, { limit: 2, afterId });
      seen.push(...page.items.map(({ id }) => id));
      if (page.nextAfterId === null) break;
      afterId = page.nextAfterId;
    }
    expect(seen).toEqual(all.map(({ id }) => id).reverse());
  });

  it('are changed only if they have not changed since they were read', async () => {
    const sink = aSink();
    await sinks.insert(sink, null);
    expect(await sinks.change(sink, { name: 'First' })).toBe(true);
    expect(await sinks.change(sink, { name: 'Second' })).toBe(false);
    expect(await sinks.find(SCOPE, sink.id)).toMatchObject({ name: 'First', configVersion: 2 });
  });

  it('that are deleted are in no list, and their row stays', async () => {
    const sink = aSink();
    await sinks.insert(sink, null);
    expect(await sinks.delete(SCOPE, sink.id)).toBe(true);
    expect(await sinks.delete(SCOPE, sink.id)).toBe(false);
    expect([await sinks.find(SCOPE, sink.id), await sinks.count(SCOPE)]).toEqual([null, 0]);
    expect(await sinks.listOfAgents([SCOPE])).toEqual([]);
    expect(await sinks.change(sink, { name: 'Late' })).toBe(false);
    expect(await database.all('SELECT status FROM agent_data_source')).toEqual([{ status: 'INACTIVE' }]);
  });

  it('are listed by their agents, in whichever state', async () => {
    const [active, inactive] = [aSink(), aSink({ status: 'INACTIVE' })];
    for (const sink of [active, inactive, aSink({ agentId: 'agt_2' })]) await sinks.insert(sink, null);
    const found = await sinks.listOfAgents([SCOPE]);
    expect(found.map(({ id }) => id).toSorted()).toEqual([active.id, inactive.id].toSorted());
    expect(await sinks.listOfAgents([])).toEqual([]);
  });
});

describe('deliveries', () => {
  const list = (filter: Partial<Parameters<DeliveryRepository['list']>[0]> = {}) =>
    deliveries.list({ workspaceId: 'ws_1', dataSourceId: 'ads_1', ...filter }, { limit: 10, afterId: null });

  it('are filtered by sink, status, job and time, within their workspace', async () => {
    const failed = await database.delivery('ads_1', { status: 'FAILED', reason: 'not_retryable', job_id: 'job_1' });
    const old = await database.delivery('ads_1', { created_at: new Date(0) });
    await database.delivery('ads_1', { workspace_id: 'ws_2' });
    await database.delivery('ads_2');
    const ids = async (filter = {}) => (await list(filter)).items.map(({ id }) => id);
    expect(await ids()).toEqual([old, failed]);
    expect(await ids({ statuses: ['FAILED', 'CANCELLED'] })).toEqual([failed]);
    expect(await ids({ jobId: 'job_1' })).toEqual([failed]);
    expect(await ids({ since: new Date(1) })).toEqual([failed]);
    expect(await deliveries.find('ws_2', failed)).toBeNull();
    expect(await deliveries.find('ws_1', failed)).toMatchObject({ id: failed, reason: 'not_retryable', payload: null });
  });

  it.each(['DELIVERED', 'FAILED', 'CANCELLED'])('that are %s get one more try, without retries', async (status) => {
    const spent = {
      retries_spent: 2,
      own_failures: 3,
      abandoned: 4,
      attempt_count: 3,
      settled_at: at,
      reason: 'not_retryable',
    };
    const id = await database.delivery('ads_1', { status, dueInMs: null, ...spent });
    expect(await deliveries.redeliver('ws_1', id)).toBe(true);
    expect(await database.one('delivery', id)).toMatchObject({
      ...{
        trigger: 'REDELIVERY',
        status: 'RETRYING',
        reason: null,
        settled_at: null,
        next_attempt_at: expect.any(Date),
      },
      ...{ retries_allowed: 0, retries_spent: 0, own_failures: 0, abandoned: 0, attempt_count: 3 },
    });
    expect(await deliveries.redeliver('ws_1', id)).toBe(false);
  });

  it('are read oldest first without missing one that is added meanwhile', async () => {
    const first = await database.delivery('ads_1');
    const second = await database.delivery('ads_1');
    const filter = { workspaceId: 'ws_1', dataSourceId: 'ads_1', order: 'oldest' } as const;
    const page = await deliveries.list(filter, { limit: 1, afterId: null });
    expect(page).toMatchObject({ items: [{ id: first }], nextAfterId: first });
    const added = await database.delivery('ads_1');
    const rest = await deliveries.list(filter, { limit: 10, afterId: page.nextAfterId });
    expect(rest.items.map(({ id }) => id)).toEqual([second, added]);
    expect(rest.nextAfterId).toBeNull();
  });

  it.each(['PENDING', 'RETRYING', 'IN_FLIGHT'])('that are %s are not redelivered', async (status) => {
    const id = await database.delivery('ads_1', { status });
    expect(await deliveries.redeliver('ws_1', id)).toBe(false);
    expect(await database.one('delivery', id)).toMatchObject({ status, trigger: 'AUTO' });
  });

  it('of another workspace are not redelivered', async () => {
    const id = await database.delivery('ads_1', { status: 'FAILED' });
    expect(await deliveries.redeliver('ws_2', id)).toBe(false);
  });
});

it('attempts are listed newest first, of one workspace only, over all partitions', async () => {
  const ids = Array.from({ length: 3 }, () => newId('attempt'));
  for (const [i, id] of ids.entries()) {
    await database.all(
      `INSERT INTO agent_data_source_sync
         (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status, url,
          auth_scheme, config_version, payload_sha256, payload_bytes, worker_id, total_ms)
       VALUES ($1, $2, 'dlv_1', 'ads_1', $3, 'agt_1', 'job_1', 1, 'AUTO', 'SUCCEEDED', 'https://a.example', 'Bearer', 1,
               '\\xabcd', 5000000000, 'worker-1', $4)`,
      [id, new Date(Date.UTC(2026, i, 15)), i === 2 ? 'ws_2' : 'ws_1', i === 0 ? 84 : null],
    );
  }
  const filter = { workspaceId: 'ws_1', dataSourceId: 'ads_1' };
  const { items } = await new AttemptRepository(databaseOf(database.manager)).list(filter, {
    limit: 10,
    afterId: null,
  });
  expect(items.map(({ id }) => id)).toEqual([ids[1], ids[0]]);
  expect(items[0]).toMatchObject({ payloadSha256: 'abcd', payloadBytes: 5_000_000_000, timings: null });
  expect(items[1]?.timings).toEqual({
    dnsMs: null,
    connectMs: null,
    tlsMs: null,
    uploadMs: null,
    waitMs: null,
    totalMs: 84,
  });
});

describe('an after-commit hook', () => {
  it('runs at once outside a transaction', () => {
    const done: string[] = [];
    databaseOf(database.manager).afterCommit(() => done.push('woken'));
    expect(done).toEqual(['woken']);
  });

  it('runs after the transaction has committed, not before', async () => {
    const done: string[] = [];
    await database.dataSource.transaction(async (manager) => {
      databaseOf(manager).afterCommit(() => done.push('woken'));
      await manager.query('SELECT 1');
      done.push('committing');
    });
    expect(done).toEqual(['committing', 'woken']);
  });

  it('waits for the outermost transaction', async () => {
    const done: string[] = [];
    await database.dataSource.transaction(async (outer) => {
      await outer.transaction(async (inner) => databaseOf(inner).afterCommit(() => done.push('woken')));
      done.push('inner committed');
    });
    expect(done).toEqual(['inner committed', 'woken']);
  });

  it('does not run after a rollback, nor after the next transaction on that connection', async () => {
    const done: string[] = [];
    const rolledBack = database.dataSource.transaction(async (manager) => {
      databaseOf(manager).afterCommit(() => done.push('woken'));
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await database.dataSource.transaction((manager) => manager.query('SELECT 1'));
    expect(done).toEqual([]);
  });
});
