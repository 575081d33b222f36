import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrationsKey, type Migrations } from './pglite-template.js';
import { postgresUrl } from './services/real-services.js';

export interface TestDatabase {
  readonly url: string;
  /** Disconnects remaining clients. */
  readonly drop: () => Promise<void>;
}

/** Any number of ours: one suite makes the template, the others wait. */
const TEMPLATE_LOCK = 5_120_771_003;

/**
 * A separate database on the run's real PostgreSQL, with all migrations applied, copied from one created once per run.
 */
export async function migratedPostgres(migrations: Migrations): Promise<TestDatabase> {
  return withServer(async (server) => {
    const template = `data_sinks_template_${migrationsKey(migrations)}_${runKey()}`;
    await server.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    try {
      const { rowCount } = await server.query('SELECT FROM pg_database WHERE datname = $1', [template]);
      if (rowCount === 0) await makeTemplate(server, template, migrations);
      return await createDatabase(server, template);
    } finally {
      await server.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
    }
  });
}

/** The same without tables, for tests of the migrations. */
export async function emptyPostgres(): Promise<TestDatabase> {
  return withServer((server) => createDatabase(server, 'template0'));
}

/** Created under another name, so that a half-finished template is never used. */
async function makeTemplate(server: pg.Client, template: string, migrations: Migrations): Promise<void> {
  const draft = await createDatabase(server, 'template0');
  const dataSource = new DataSource({ type: 'postgres', url: draft.url, migrations: [...migrations] });
  try {
    await dataSource.initialize();
    await dataSource.runMigrations();
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
  await server.query(`ALTER DATABASE ${nameIn(draft.url)} RENAME TO ${template}`);
}

async function createDatabase(server: pg.Client, template: string): Promise<TestDatabase> {
  const name = `data_sinks_test_${randomBytes(8).toString('hex')}`;
  await server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(postgresUrl());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      withServer(async (again) => {
        await again.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** A server from DATABASE_URL outlives the run, and the next run may have other migrations with the same names. */
function runKey(): string {
  const [key] = (process.env['TEST_RUN_DIR'] ?? '').toLowerCase().match(/[a-z0-9]+$/) ?? [];
  if (!key) throw new Error('TEST_RUN_DIR is not set: only projects with the globalSetup have migrated databases');
  return key;
}

async function withServer<T>(use: (server: pg.Client) => Promise<T>): Promise<T> {
  const server = new pg.Client({ connectionString: postgresUrl() });
  // A server that stops in the meantime fails the next statement; by itself it is nobody's error.
  server.on('error', () => undefined);
  await server.connect();
  try {
    return await use(server);
  } finally {
    await server.end();
  }
}
