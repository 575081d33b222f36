import type { DataSource } from 'typeorm';
import { dataSinksMigrations } from './migrations.js';
import { rows } from './persistence/database.js';

/** PostgreSQL's `undefined_table`. */
const NO_SUCH_TABLE = '42P01';

/** Names of the module's migrations that this database has not run. @throws when the database does not answer */
export async function pendingMigrations(database: DataSource): Promise<readonly string[]> {
  const names = dataSinksMigrations.map((migration) => new migration().name);
  const done = new Set(await ranOf(database, names));
  return names.filter((name) => !done.has(name));
}

async function ranOf(database: DataSource, names: readonly string[]): Promise<readonly string[]> {
  const table = database.driver.escape(database.options.migrationsTableName ?? 'migrations');
  const statement = `SELECT name FROM ${table} WHERE name = ANY ($1)`;
  try {
    return (await rows<{ name: string }>(database.manager, statement, [names])).map(({ name }) => name);
  } catch (error) {
    // The table is made by the first migration that runs, of anybody's: without it none ran. The database is up.
    if ((error as { code?: unknown } | null)?.code === NO_SUCH_TABLE) return [];
    throw error;
  }
}
