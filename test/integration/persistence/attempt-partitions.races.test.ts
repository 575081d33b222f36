import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { DataSource, type QueryRunner } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import type { OpenedAttempt } from '../../../src/data-sinks/domain/attempt-end.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { closeAttempts } from '../../../src/data-sinks/delivery/attempt.sql.js';
import { createAttemptPartitions } from '../../../src/data-sinks/upkeep/attempt-partitions.sql.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { CONFIG, newId } from './module-database.js';
import { insertCompletions } from './completions.js';

// On PostgreSQL: on the embedded database, which has one connection, nobody waits for anybody's lock.
const TOKEN = '00000000-0000-4000-8000-000000000000';

/** Long enough to be looked at while it waits. */
const PATIENT = { lockTimeoutMs: 5_000 };

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await migratedPostgres(dataSinksMigrations);
  dataSource = await new DataSource({ type: 'postgres', url: database.url, poolSize: 8 }).initialize();
});
beforeEach(async () => {
  for (const name of await partitions()) await dataSource.query(`DROP TABLE ${name}`);
  await dataSource.query('TRUNCATE agent_data_source_sync, agent_data_source_delivery');
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function partitions(): Promise<string[]> {
  const found = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relname ~ '^agent_data_source_sync_y[0-9]{4}m[0-9]{2}$' AND relkind = 'r'
      ORDER BY 1`,
  );
  return found.map(({ name }) => name);
}

/** Whoever reads all attempts for a long time: a backup, a report. */
async function reader(): Promise<QueryRunner> {
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('SELECT count(*) FROM agent_data_source_sync');
  return runner;
}

async function end(runner: QueryRunner): Promise<void> {
  await runner.rollbackTransaction();
  await runner.release();
}

async function open(deliveryId: string): Promise<OpenedAttempt[]> {
  await insertCompletions(dataSource, [deliveryId]);
  await dataSource.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, recipe,
       retries_allowed, trigger, status, lease_token, lease_expires_at)
     VALUES ($1, 'ws_1', 'agt_1', 'ads_1', $1, 1, 'JSON', 'JSON', 2, 'AUTO', 'IN_FLIGHT', $2, now() + interval '1 minute')`,
    [deliveryId, TOKEN],
  );
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 10, rows: 1 };
  const key = { attemptId: newId('attempt'), deliveryId, leaseToken: TOKEN };
  return openAttempts(databaseOf(dataSource.manager), 'worker', [
    { ...key, url: CONFIG.url, authScheme: 'Bearer', unstored: null, handedOver: false, configVersion: 1, payload },
  ]);
}

function close(opened: readonly OpenedAttempt[]): Promise<ReadonlySet<string>> {
  const none = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: null, waitMs: null, totalMs: 1 };
  return closeAttempts(
    databaseOf(dataSource.manager),
    opened.map((one) => ({
      ...{ opened: one, leaseToken: TOKEN, status: 'SUCCEEDED', errorCode: null, httpStatus: 200, timings: none },
      ...{ answerExcerpt: null, answerEnding: null, receiverDown: false, ownFailure: false },
      plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
    })),
  );
}

function untilWaiting(count: number): Promise<unknown> {
  const waiting = `SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation'
                      AND relation::regclass::text LIKE 'agent_data_source_sync%'`;
  return until(async () => (await dataSource.query<object[]>(waiting)).length >= count, `${count} wait for a lock`);
}

it('several processes that start at once create each partition once', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => createAttemptPartitions(databaseOf(dataSource.manager), 2)));
  expect(all.flatMap(({ failures }) => [...failures.values()])).toEqual([]);
  expect(all.flatMap(({ made }) => made).sort()).toEqual(await partitions());
  expect(await partitions()).toHaveLength(3);
});

it('attempts can be opened while a partition waits for a long reader; it is given up and created next time', async () => {
  await createAttemptPartitions(databaseOf(dataSource.manager), 0);
  const [thisMonth] = await partitions();
  const reading = await reader();
  const making = createAttemptPartitions(databaseOf(dataSource.manager), 1, PATIENT);
  await untilWaiting(1);
  expect(await open('dlv_1')).toHaveLength(1);
  // Nothing that the reader does ends the wait.
  const { made, failures } = await making;
  expect(made).toEqual([]);
  expect(String([...failures.values()])).toContain('lock timeout');
  await end(reading);
  expect((await createAttemptPartitions(databaseOf(dataSource.manager), 1)).made).toHaveLength(1);
  const where = await dataSource.query('SELECT tableoid::regclass::text AS name FROM agent_data_source_sync');
  expect(where).toEqual([{ name: thisMonth }]);
});

it('an attempt that ends while a partition waits for a long reader does not wait', async () => {
  await createAttemptPartitions(databaseOf(dataSource.manager), 0);
  const opened = await open('dlv_1');
  const reading = await reader();
  // Both end while the reader still reads.
  const making = createAttemptPartitions(databaseOf(dataSource.manager), 1);
  expect(await close(opened)).toEqual(new Set(opened.map(({ attemptId }) => attemptId)));
  expect((await making).failures.size).toBe(1);
  await end(reading);
});

it('an attempt that ends while it is moved to its month’s partition is closed there', async () => {
  const opened = await open('dlv_1');
  const reading = await reader();
  const making = createAttemptPartitions(databaseOf(dataSource.manager), 0, PATIENT);
  await untilWaiting(1);
  const closing = close(opened);
  await untilWaiting(2);
  await end(reading);
  const { made } = await making;
  expect(made).toEqual(await partitions());
  expect(await closing).toEqual(new Set(opened.map(({ attemptId }) => attemptId)));
  const rows = await dataSource.query('SELECT tableoid::regclass::text AS name, status FROM agent_data_source_sync');
  expect(rows).toEqual([{ name: made[0], status: 'SUCCEEDED' }]);
});

it('a move that takes too long is given up, releases its locks, and is done next time', async () => {
  const opened = await open('dlv_1');
  await dataSource.query(
    `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN OLD; END'`,
  );
  await dataSource.query(
    `CREATE TRIGGER linger BEFORE DELETE ON agent_data_source_sync_default FOR EACH ROW EXECUTE FUNCTION linger()`,
  );
  const { failures } = await createAttemptPartitions(databaseOf(dataSource.manager), 0, { statementTimeoutMs: 300 });
  await dataSource.query('DROP FUNCTION linger CASCADE');
  expect(String([...failures.values()])).toContain('statement timeout');
  expect(await close(opened)).toHaveProperty('size', 1);
  expect((await createAttemptPartitions(databaseOf(dataSource.manager), 0)).made).toHaveLength(1);
  const rows = await dataSource.query('SELECT tableoid::regclass::text AS name FROM agent_data_source_sync');
  expect(rows).toEqual((await partitions()).map((name) => ({ name })));
});
