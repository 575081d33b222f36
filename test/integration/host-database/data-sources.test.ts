import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { Receiver } from '../../support/platform/receiver-process.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { expectStoryOf } from './customer-story.js';
import { type HostDataSource, HostWithDataSource, optionsOf } from './host-with-data-source.js';

let receiver: Receiver;
const databases: TestDatabase[] = [];
const hosts: HostWithDataSource[] = [];

beforeAll(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});
afterAll(() => receiver.stop());

/** A database without a table, in which these statements have been run. */
async function databaseWith(...statements: readonly string[]): Promise<string> {
  const database = await emptyPostgres();
  databases.push(database);
  const name = new URL(database.url).pathname.slice(1);
  for (const statement of statements) await sql(database.url, statement.replaceAll('$DB', name));
  return database.url;
}

async function sql(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function hostOver(dataSource: HostDataSource): Promise<HostWithDataSource> {
  const host = await HostWithDataSource.start(dataSource);
  hosts.push(host);
  return host;
}

const expectTheStory = (host: HostWithDataSource): Promise<string> => expectStoryOf(host, receiver);

/** Where the module's tables are, partitions left out. */
async function tablesIn(url: string): Promise<string[]> {
  const found = await sql(
    url,
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
      WHERE tablename ~ 'agent_data_source|_entity|MODULE' AND tablename !~ '_y[0-9]{4}m[0-9]{2}$' ORDER BY 1`,
  );
  return found.map(({ name }) => String(name));
}

describe('a host whose DataSource reads from replicas', () => {
  it('reads sinks and deliveries from the primary, even if a replica never catches up', async () => {
    const [primary, replica] = [await databaseWith(), await databaseWith()];
    const migrated = await new DataSource(optionsOf({ url: replica })).initialize();
    await migrated.destroy();
    await expectTheStory(await hostOver({ replication: { master: { url: primary }, slaves: [{ url: replica }] } }));
  });
});

describe('a host with other table names', () => {
  it('has the module’s tables in its schema', async () => {
    const url = await databaseWith('CREATE SCHEMA app');
    await expectTheStory(await hostOver({ url, schema: 'app' }));
    const tables = await tablesIn(url);
    expect(tables.length).toBeGreaterThan(10);
    expect(tables.filter((name) => !name.startsWith('app.agent_data_source'))).toEqual([]);
  });

  it('has the module’s tables under its entityPrefix, in a schema with special characters', async () => {
    const url = await databaseWith('CREATE SCHEMA "My App"');
    await expectTheStory(await hostOver({ url, schema: 'My App', entityPrefix: 'app_' }));
    const tables = await tablesIn(url);
    expect(tables.filter((name) => !name.startsWith('My App.app_agent_data_source'))).toEqual([]);
  });

  it('has the module’s tables as named by its namingStrategy', async () => {
    class Shouting extends DefaultNamingStrategy {
      override tableName(target: string): string {
        return `MODULE_${target}`;
      }
    }
    const url = await databaseWith();
    await expectTheStory(await hostOver({ url, namingStrategy: new Shouting() }));
    expect(await tablesIn(url)).toContain('public.MODULE_DeliveryEntity');
  });

  it('records migrations in a table of another schema', async () => {
    const url = await databaseWith('CREATE SCHEMA app');
    await expectTheStory(await hostOver({ url, migrationsTableName: 'app.migrations' }));
  });

  it('reverts the migrations in its schema', async () => {
    const url = await databaseWith('CREATE SCHEMA app');
    const dataSource = await new DataSource(optionsOf({ url, schema: 'app', entityPrefix: 'x_' })).initialize();
    for (const _migration of dataSource.migrations) await dataSource.undoLastMigration();
    await dataSource.destroy();
    expect(await tablesIn(url)).toEqual([]);
  });

  it('stops at its boot if its strategy renames columns', async () => {
    class Camel extends DefaultNamingStrategy {
      override columnName(property: string): string {
        return property;
      }
    }
    const url = await databaseWith();
    await expect(hostOver({ url, namingStrategy: new Camel() })).rejects.toThrow(
      /calls the column "workspace_id" of DataSourceEntity "workspaceId".*"return customName/s,
    );
  });

  it('stops at its boot if its prefix is too long for the names of partitions', async () => {
    const url = await databaseWith();
    await expect(hostOver({ url, entityPrefix: 'p'.repeat(40) })).rejects.toThrow(/longer than the 63 bytes.*shorten/s);
  });
});

describe('a host with other value parsers', () => {
  const TYPES = [16, 17, 20, 21, 23, 114, 700, 701, 1007, 1009, 1184, 1700, 2950, 3802];

  it.each([
    "datestyle = 'SQL, DMY'",
    "datestyle = 'German'",
    "timezone = 'Asia/Kathmandu'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
  ])('reads times and bytes correctly with %s', async (setting) => {
    const url = await databaseWith(`ALTER DATABASE $DB SET ${setting}`);
    await expectTheStory(await hostOver({ url }));
  });

  it('reads values correctly with every parser of node-postgres replaced', async () => {
    const before = TYPES.map((type) => [type, pg.types.getTypeParser(type, 'text')] as const);
    try {
      for (const type of TYPES) pg.types.setTypeParser(type, (text) => `the host's ${text}`);
      await expectTheStory(await hostOver({ url: await databaseWith() }));
    } finally {
      for (const [type, parse] of before) pg.types.setTypeParser(type, parse);
    }
  });
});
