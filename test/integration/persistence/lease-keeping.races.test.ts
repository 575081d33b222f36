import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { watchedDatabase } from '../../support/fake-database.js';
import { type Database, databaseOf } from '../../../src/data-sinks/database/database.js';
import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { extendLeases, sweepExpiredLeases } from '../../../src/data-sinks/queue/lease.sql.js';
import { releaseUnopened } from '../../../src/data-sinks/delivery/release-unopened.sql.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { CONFIG, newId } from './module-database.js';
import { insertCompletions } from './completions.js';

// On PostgreSQL: the embedded database has one connection, so that a worker and a sweeper never meet there.
const TOKEN = '00000000-0000-4000-8000-000000000000';
const MEETING = 20_261_125;

let database: TestDatabase;
let worker: DataSource;
let sweeper: DataSource;

beforeAll(async () => {
  database = await migratedPostgres(dataSinksMigrations);
  worker = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  // To the sweeper's statements it takes time to say what time it is: as long as somebody holds the lock.
  await worker.query('CREATE SCHEMA slow');
  await worker.query(`CREATE FUNCTION slow.now() RETURNS timestamptz LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_lock_shared(${MEETING});
      PERFORM pg_advisory_unlock_shared(${MEETING});
      RETURN pg_catalog.now();
    END $$`);
  const options = '-c search_path=slow,public,pg_catalog';
  sweeper = await new DataSource({ type: 'postgres', url: database.url, extra: { options } }).initialize();
});
afterAll(async () => {
  await sweeper.destroy();
  await worker.destroy();
  await database.drop();
});

async function untilSomebodyWaits(): Promise<void> {
  const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${MEETING} AND NOT granted`;
  await until(async () => (await worker.query<object[]>(waiting)).length > 0, 'the sweeper asks what time it is');
}

async function inFlight(id: string, leaseToken: string, expiresInMs: number): Promise<void> {
  await insertCompletions(worker, [id]);
  await worker.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, recipe,
       retries_allowed, trigger, status, lease_token, lease_expires_at)
     VALUES ($1, 'ws_1', 'agt_1', 'ads_1', $1, 1, 'JSON', 'JSON', 2, 'AUTO', 'IN_FLIGHT', $2,
             now() + $3 * interval '1 millisecond')`,
    [id, leaseToken, expiresInMs],
  );
}

it('an attempt opened while the sweep finds its lease expired is abandoned with it, not left open', async () => {
  await inFlight('dlv_1', TOKEN, -1_000);
  const holder = worker.createQueryRunner();
  await holder.query(`SELECT pg_advisory_lock(${MEETING})`);
  const swept = sweepExpiredLeases(databaseOf(sweeper.manager), { includeGoneWorkers: false, maxAbandoned: 5 });
  await untilSomebodyWaits();
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 10, rows: 1 };
  const opened = await openAttempts(databaseOf(worker.manager), 'late', [
    {
      ...{ attemptId: newId('attempt'), deliveryId: 'dlv_1', leaseToken: TOKEN, url: CONFIG.url },
      ...{ authScheme: 'Bearer', unstored: null, handedOver: false, configVersion: 1, payload },
    },
  ]);
  expect(opened).toMatchObject([{ attemptNumber: 1 }]);
  await holder.query(`SELECT pg_advisory_unlock(${MEETING})`);
  await holder.release();
  expect(await swept).toMatchObject([{ deliveryId: 'dlv_1', status: 'RETRYING' }]);
  expect(await worker.query('SELECT status, error_code FROM agent_data_source_sync')).toEqual([
    { status: 'ABANDONED', error_code: 'worker_lost' },
  ]);
});

it('an attempt being opened while it is released is abandoned with it, not left open', async () => {
  const leaseToken = TOKEN.replace('4', '3');
  await inFlight('dlv_2', leaseToken, 60_000);
  const opening = worker.createQueryRunner();
  await opening.startTransaction();
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 10, rows: 1 };
  await openAttempts(databaseOf(opening.manager), 'worker-1', [
    {
      ...{ attemptId: newId('attempt'), deliveryId: 'dlv_2', leaseToken, url: CONFIG.url },
      ...{ authScheme: 'Bearer', unstored: null, handedOver: false, configVersion: 1, payload },
    },
  ]);
  const givenBack = worker.transaction((transaction) =>
    releaseUnopened(databaseOf(transaction), [{ id: 'dlv_2', leaseToken, waitMs: 5_000 }], 30_000),
  );
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await until(async () => (await worker.query<object[]>(waiting)).length > 0, 'it waits for the opening');
  await opening.commitTransaction();
  await opening.release();
  expect(await givenBack).toEqual(new Set([leaseToken]));
  expect(
    await worker.query(
      `SELECT d.status, d.own_failures, a.status AS attempt, a.error_code FROM agent_data_source_delivery d
         JOIN agent_data_source_sync a ON a.delivery_id = d.id WHERE d.id = 'dlv_2'`,
    ),
  ).toEqual([{ status: 'RETRYING', own_failures: 1, attempt: 'ABANDONED', error_code: 'internal_error' }]);
});

it('a lease is extended beside attempts that are being written, without waiting for them', async () => {
  const [written, free, lost] = [TOKEN, TOKEN.replace('4', '1'), TOKEN.replace('4', '2')];
  await inFlight('dlv_written', written, 1_000);
  await inFlight('dlv_free', free, 1_000);
  const writer = worker.createQueryRunner();
  await writer.startTransaction();
  await writer.query(`UPDATE agent_data_source_delivery SET attempt_count = 1 WHERE id = 'dlv_written'`);
  const kept = await extendLeases(
    databaseOf(worker.manager),
    [
      { id: 'dlv_written', leaseToken: written },
      { id: 'dlv_free', leaseToken: free },
      { id: 'dlv_free', leaseToken: lost },
    ],
    60_000,
  );
  expect(kept).toEqual(new Set([written, free]));
  await writer.commitTransaction();
  await writer.release();
  const extended = await worker.query(
    `SELECT id, lease_expires_at > now() + interval '30 seconds' AS extended FROM agent_data_source_delivery
      WHERE status = 'IN_FLIGHT' ORDER BY id`,
  );
  expect(extended).toEqual([
    { id: 'dlv_free', extended: true },
    { id: 'dlv_written', extended: false },
  ]);
});

/** One whose process is stopped once it has locked what it takes back: what it would say next never comes. */
function stopsHalfway(whole: Database, onLocked: () => void): Database {
  return watchedDatabase(whole, (text) => {
    if (!text.includes('ABANDONED')) return undefined;
    onLocked();
    return new Promise(() => undefined);
  });
}

it('a sweeper stopped half-way blocks the others for a few seconds only', async () => {
  await worker.query('TRUNCATE agent_data_source_delivery');
  await inFlight('dlv_1', TOKEN, -1_000);
  const runner = sweeper.createQueryRunner();
  await new Promise<void>(
    (resolve) =>
      void sweepExpiredLeases(stopsHalfway(databaseOf(runner.manager), resolve), {
        includeGoneWorkers: false,
        maxAbandoned: 5,
      }),
  );
  expect(await sweepExpiredLeases(databaseOf(worker.manager), { includeGoneWorkers: false, maxAbandoned: 5 })).toEqual(
    [],
  );
  const swept = await until(async () => {
    const found = await sweepExpiredLeases(databaseOf(worker.manager), { includeGoneWorkers: false, maxAbandoned: 5 });
    return found.length > 0 && found;
  }, 'another one takes it back');
  expect(swept).toMatchObject([{ deliveryId: 'dlv_1', status: 'PENDING' }]);
  await runner.release();
});

it('a worker stopped half-way through a release blocks the sweepers for a few seconds only', async () => {
  await worker.query('TRUNCATE agent_data_source_delivery');
  await inFlight('dlv_1', TOKEN, -1_000);
  const runner = sweeper.createQueryRunner();
  await new Promise<void>((resolve) => {
    const given = [{ id: 'dlv_1', leaseToken: TOKEN, waitMs: 0 }];
    const halfway = stopsHalfway(databaseOf(runner.manager), resolve);
    void halfway.transaction((transaction) => releaseUnopened(transaction, given, 30_000));
  });
  expect(await sweepExpiredLeases(databaseOf(worker.manager), { includeGoneWorkers: false, maxAbandoned: 5 })).toEqual(
    [],
  );
  const swept = await until(async () => {
    const found = await sweepExpiredLeases(databaseOf(worker.manager), { includeGoneWorkers: false, maxAbandoned: 5 });
    return found.length > 0 && found;
  }, 'a sweeper takes it back');
  expect(swept).toMatchObject([{ deliveryId: 'dlv_1', status: 'PENDING' }]);
  await runner.release();
});

it('PostgreSQL also cancels a release that waits for a lock', async () => {
  await worker.query('TRUNCATE agent_data_source_delivery');
  await inFlight('dlv_1', TOKEN, 60_000);
  const holder = worker.createQueryRunner();
  await holder.startTransaction();
  await holder.query(`SELECT FROM agent_data_source_delivery WHERE id = 'dlv_1' FOR UPDATE`);
  const released = worker.transaction((transaction) =>
    releaseUnopened(databaseOf(transaction), [{ id: 'dlv_1', leaseToken: TOKEN, waitMs: 0 }], 100),
  );
  await expect(released).rejects.toMatchObject({ code: '57014' });
  await holder.rollbackTransaction();
  await holder.release();
  expect(await worker.query(`SHOW statement_timeout`)).toEqual([{ statement_timeout: '0' }]);
});
