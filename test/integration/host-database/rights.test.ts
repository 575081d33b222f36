import { randomBytes } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Retention } from '../../../src/data-sinks/upkeep/retention.js';
import { Receiver } from '../../support/platform/receiver-process.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { stub } from '../../support/stub.js';
import { expectStoryOf } from './customer-story.js';
import { HostWithDataSource, optionsOf } from './host-with-data-source.js';
import { newOutages } from '../../support/outages.js';

const DAY_MS = 86_400_000;
const PERIODS = { payloadRetentionMs: DAY_MS, attemptRetentionMs: DAY_MS, deliveryRetentionMs: DAY_MS };

let receiver: Receiver;
let database: TestDatabase;
/** As the owner of all that the migrations made. */
let owner: DataSource;
let role: string;
let roleUrl: string;

beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(() => receiver.stop());

beforeEach(async () => {
  database = await emptyPostgres();
  owner = await new DataSource(optionsOf({ url: database.url })).initialize();
  role = `app_${randomBytes(6).toString('hex')}`;
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
  for (const statement of grantsOfTheDocs()) await owner.query(statement);
  const url = new URL(database.url);
  Object.assign(url, { username: role, password: 'app' });
  roleUrl = url.href;
});
afterEach(async () => {
  jest.restoreAllMocks();
  await owner.query(`DROP OWNED BY ${role} CASCADE`);
  await owner.query(`DROP ROLE ${role}`);
  await owner.destroy();
  await database.drop();
});

function grantsOfTheDocs(): string[] {
  const [, block = ''] = /```sql\n(.*?)```/s.exec(readFileSync('docs/database.md', 'utf8')) ?? [];
  const statements = block.replaceAll(/^--.*$/gm, '').replaceAll(/\bTO app\b/g, `TO ${role}`);
  return statements.split(';').filter((statement) => statement.trim() !== '');
}

/** A host that runs no migrations itself. */
async function withHost(work: (host: HostWithDataSource) => Promise<void>): Promise<void> {
  const host = await HostWithDataSource.start({ url: roleUrl, migrationsRun: false });
  try {
    await work(host);
  } finally {
    await host.stop();
  }
}

const countAttempts = async (table: string): Promise<unknown> => {
  const [row] = await owner.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`);
  return row?.n;
};

describe('a role with only the privileges of docs/database.md', () => {
  it('delivers, and logs once that it may not create partitions', async () => {
    await withHost(async (host) => {
      await expectStoryOf(host, receiver, ['sweeper.unavailable']);
      expect(host.troubles()).toMatchObject([
        {
          event: 'sweeper.unavailable',
          step: 'partitions',
          error: expect.stringMatching(/_y\d{4}m\d\d: .*permission denied for schema public\. .*docs\/database\.md/),
        },
      ]);
    });
    expect(await countAttempts('agent_data_source_sync_default')).toBe(1);
  });

  it('deletes expired attempts of a partition that it may not drop, logs that once, and drops it when it may', async () => {
    const logged: unknown[] = [];
    for (const level of ['log', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void logged.push(line));
    }
    const old = 'agent_data_source_sync_y2020m01';
    await owner.query(
      `CREATE TABLE ${old} PARTITION OF agent_data_source_sync
         FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-02-01 00:00:00+00')`,
    );
    await owner.query(
      `INSERT INTO agent_data_source_sync
         (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status,
          url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
       SELECT 'att_' || i, '2020-01-31 23:59:59+00', 'dlv_1', 'ads_1', 'ws_1', 'agt_1', 'job_1', i, 'AUTO', 'SUCCEEDED',
              'https://a.example', 'Bearer', 1, '\\xab', 1, 'worker-1' FROM generate_series(1, 1500) AS i`,
    );
    const dataSource = await new DataSource({ type: 'postgres', url: roleUrl }).initialize();
    const retention = new Retention(databaseOf(dataSource.manager), newOutages(), stub(PERIODS));
    await retention.run();
    expect(await countAttempts(old)).toBe(0);
    const unavailable = { event: 'sweeper.unavailable', step: 'retention.partitions' };
    expect(logged).toMatchObject([
      { ...unavailable, error: expect.stringMatching(/must be owner of table .*docs\/database\.md/) },
      expect.objectContaining({ event: 'retention.removed', attempts: 1_500, partitions: [] }),
    ]);
    logged.length = 0;

    await retention.run();
    expect(logged).toEqual([]);

    await owner.query(`ALTER TABLE ${old} OWNER TO ${role}`);
    await retention.run();
    await dataSource.destroy();
    expect(logged).toEqual([
      expect.objectContaining({ event: 'sweeper.available_again', step: 'retention.partitions' }),
      expect.objectContaining({ event: 'retention.removed', partitions: [old] }),
    ]);
  });
});

describe('a role that lacks one of these privileges', () => {
  it('on the migrations table logs this at boot, and its host is up', async () => {
    await owner.query(`REVOKE ALL ON migrations FROM ${role}`);
    await withHost(async (host) => {
      // Degraded, since the role may not make partitions either.
      const health = { status: 'degraded', database: 'up', migrationsPending: null, error: null };
      expect(await host.health()).toMatchObject(health);
      expect(host.troubles().map(({ event }) => event)).toContain('migrations.unknown');
    });
  });

  it('on deliveries reports this in its health, with the database up', async () => {
    await owner.query(`REVOKE ALL ON agent_data_source_delivery FROM ${role}`);
    await withHost(async (host) => {
      expect(await host.health()).toMatchObject({
        ...{ status: 'down', database: 'up', migrationsPending: [] },
        error: expect.stringContaining('permission denied for table agent_data_source_delivery'),
      });
    });
  });
});
