import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { erasePayloadBatch } from '../../../src/data-sinks/payload/payload-expiry.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { stub } from '../../support/stub.js';

// On PostgreSQL: on the embedded database nobody builds while somebody erases.
let database: TestDatabase;
let dataSource: DataSource;
const KEY = { workspaceId: 'ws_1', jobId: 'job_1', run: 1, recipe: 'JSON' };

beforeAll(async () => {
  database = await migratedPostgres(dataSinksMigrations);
  dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it('an erasure also removes what a builder is writing, and the builder fails', async () => {
  await dataSource.query(
    `INSERT INTO agent_data_source_job (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched)
     VALUES ('job_1', 1, 'ws_1', 'agt_1', now(), 1, 1, 0)`,
  );
  const store = new PayloadStore(databaseOf(dataSource.manager), stub({ leaseMs: 60_000 }));
  await store.beginBuild(KEY, 'pld_1');
  await store.appendChunk(KEY, 'pld_1', 0, Buffer.from('first'));
  const writer = dataSource.createQueryRunner();
  let erased: Promise<unknown> = Promise.resolve();
  try {
    await writer.startTransaction();
    await new PayloadStore(databaseOf(writer.manager), stub({ leaseMs: 60_000 })).appendChunk(
      KEY,
      'pld_1',
      1,
      Buffer.from('last'),
    );
    erased = dataSource.transaction((transaction) => erasePayloadBatch(databaseOf(transaction), 'ws_1', 'job_1'));
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await dataSource.query<object[]>(waiting)).length > 0, 'the erasure waits');
    await writer.commitTransaction();
  } finally {
    await writer.release();
  }
  expect(await erased).toMatchObject({ payloads: 1 });
  expect(await dataSource.query('SELECT seq FROM agent_data_source_payload_chunk')).toEqual([]);
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 9, rows: 1 };
  expect(await store.finishBuild(KEY, payload)).toBe(false);
});
