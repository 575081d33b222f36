import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Database } from '../../../src/data-sinks/database/database.js';
import { createDataSource } from '../../../src/reference-host/persistence/create-data-source.js';
import { openDatabase } from '../../../src/reference-host/persistence/migrate.js';
import { until } from '../../support/platform/until.js';
import { Receiver } from '../../support/platform/receiver-process.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { pgbouncerServer } from '../../support/services/pgbouncer-server.js';
import { expectStoryOf } from './customer-story.js';
import { HostWithDataSource, PATIENCE_MS } from './host-with-data-source.js';

let database: TestDatabase;
let pooler: Awaited<ReturnType<typeof pgbouncerServer>>;
let receiver: Receiver;
let directory: string;

beforeAll(async () => {
  receiver = await Receiver.start();
  directory = await mkdtemp(join(tmpdir(), 'data-sinks-pgbouncer-'));
  database = await emptyPostgres();
  pooler = await pgbouncerServer(join(directory, 'pgbouncer'), database.url);
});
afterAll(async () => {
  await receiver.stop();
  await pooler.stop();
  await database.drop();
  await rm(directory, { recursive: true });
});

describe('behind a PgBouncer in transaction mode', () => {
  it('reference hosts that start at once run the migrations one after the other, and leave no lock', async () => {
    const sources = [1, 2, 3].map(() => createDataSource({ databaseUrl: pooler.url, dataDir: directory }));
    const ran = await Promise.all(sources.map((source) => openDatabase(source)));
    expect(ran.map((names) => names.length > 0).filter(Boolean)).toHaveLength(1);
    await Promise.all(sources.map((source) => source.destroy()));
    const direct = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const [locks] = await direct.query<object[]>(
      `SELECT count(*)::int AS n FROM pg_locks
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    await direct.destroy();
    expect(locks).toEqual({ n: 0 });
  });

  it('a host with preparedStatements off delivers many jobs at once, and logs nothing', async () => {
    const host = await HostWithDataSource.start({ url: pooler.url }, { preparedStatements: false });
    try {
      const sinkId = await expectStoryOf(host, receiver);
      const jobs = Array.from({ length: 16 }, () => host.finish().jobId);
      const delivered = async () =>
        (await host.settled(sinkId)).filter(
          ({ jobId, status }) => jobs.includes(String(jobId)) && status === 'DELIVERED',
        );
      await until(async () => (await delivered()).length === jobs.length, 'all jobs are delivered', PATIENCE_MS);
      expect(host.troubles()).toEqual([]);
    } finally {
      await host.stop();
    }
  });

  it('a host with preparedStatements on delivers, and is advised once to switch it off', async () => {
    const host = await HostWithDataSource.start({ url: pooler.url });
    try {
      await expectStoryOf(host, receiver, ['prepared_statements.off']);
      expect(host.troubles()[0]?.['todo']).toContain('set the option preparedStatements to false');
    } finally {
      await host.stop();
    }
  });

  it.each([true, false])('statements run, also when the host left prepared ones on (%s)', async (prepares) => {
    const dataSource = await new DataSource({ type: 'postgres', url: pooler.url, poolSize: 8 }).initialize();
    const session = new Database(dataSource, { preparedStatements: prepares, leaseMs: 60_000 });
    const asked = Array.from({ length: 64 }, (_, i) => session.prepared('SELECT $1::int AS n', [i]));
    expect(await Promise.all(asked)).toEqual(asked.map((_, n) => [{ n }]));
    await dataSource.destroy();
  });
});
