import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { createAttemptPartitions } from '../../../src/data-sinks/upkeep/attempt-partitions.sql.js';
import { ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
afterAll(() => database.dataSource.destroy());

const DAY_MS = 86_400_000;

/** The month that is so many ahead of the database's, as the partitions call it. */
async function month(ahead: number): Promise<string> {
  const at = new Date(await database.now());
  const first = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1));
  return `agent_data_source_sync_y${first.getUTCFullYear()}m${String(first.getUTCMonth() + 1).padStart(2, '0')}`;
}

async function attempt(startedAt: Date): Promise<string> {
  const [row] = await database.all<{ partition: string }>(
    `INSERT INTO agent_data_source_sync
       (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status, url,
        auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
     VALUES ($1, $2, 'dlv_1', 'ads_1', 'ws_1', 'agt_1', 'job_1', 1, 'AUTO', 'SUCCEEDED', 'https://a.example', 'Bearer', 1,
             '\\xab', 1, 'worker-1')
     RETURNING tableoid::regclass::text AS partition`,
    [newId('attempt'), startedAt],
  );
  return row?.partition ?? '';
}

it('partitions of the attempts are created ahead, and only where they are missing', async () => {
  const made = async (ahead: number) => (await createAttemptPartitions(databaseOf(database.manager), ahead)).made;
  expect(await made(2)).toEqual([await month(0), await month(1), await month(2)]);
  expect(await made(2)).toEqual([]);
  expect(await made(3)).toEqual([await month(3)]);
});

it('attempts land in the partition of their month, in UTC', async () => {
  const now = new Date(await database.now());
  const nextMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  expect(await attempt(now)).toBe(await month(0));
  expect(await attempt(new Date(nextMonth - 1))).toBe(await month(0));
  expect(await attempt(new Date(nextMonth))).toBe(await month(1));
});

it('an attempt of a month without a partition is kept in the default one', async () => {
  expect(await attempt(new Date('2020-01-01T00:00:00Z'))).toBe('agent_data_source_sync_default');
});

it('partitions are created for later months as time passes', async () => {
  await database.advance(120 * DAY_MS);
  const { made } = await createAttemptPartitions(databaseOf(database.manager), 1);
  expect(made).toContain(await month(1));
  expect(await attempt(new Date(await database.now()))).toBe(await month(0));
});

it('attempts opened before their month’s partition are moved to it, and the next months follow', async () => {
  await database.advance(120 * DAY_MS);
  const now = new Date(await database.now());
  expect(await attempt(now)).toBe('agent_data_source_sync_default');
  expect(await createAttemptPartitions(databaseOf(database.manager), 1)).toEqual({
    made: [await month(0), await month(1)],
    failures: new Map(),
  });
  const where = await database.all(
    'SELECT tableoid::regclass::text AS name FROM agent_data_source_sync WHERE started_at = $1',
    [now],
  );
  expect(where).toEqual([{ name: await month(0) }]);
  expect(await attempt(now)).toBe(await month(0));
});

it('a partition has the constraints, indexes and defaults of its table, and a fillfactor for HOT updates', async () => {
  const of = (name: string) =>
    database.all(
      `SELECT reloptions,
              ARRAY(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid ORDER BY 1) AS constraints,
              ARRAY(SELECT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING', '') FROM pg_index
                     WHERE indrelid = c.oid ORDER BY 1) AS indexes,
              ARRAY(SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = c.oid ORDER BY adnum) AS defaults
         FROM pg_class c WHERE oid = to_regclass($1)`,
      [name],
    );
  const made = await of(await month(0));
  expect(made).toEqual(await of('agent_data_source_sync_default'));
  expect(made).toMatchObject([{ reloptions: ['fillfactor=60'] }]);
});

it('months are in UTC whatever the session’s time zone', async () => {
  await database.all(`SET TIME ZONE 'Pacific/Auckland'`);
  await database.advance(40 * DAY_MS);
  await createAttemptPartitions(databaseOf(database.manager), 1);
  const now = new Date(await database.now());
  const nextMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  expect(await attempt(new Date(nextMonth - 1))).toBe(await month(0));
  expect(await attempt(new Date(nextMonth))).toBe(await month(1));
});
