import { dataSinksMigrations } from './migrations.js';
import type { Database } from './database.js';
import { isMissingRight } from './missing-right.js';

/** PostgreSQL's `undefined_table`. */
const NO_SUCH_TABLE = '42P01';

/**
 * Names of the module's migrations that this database has not run.
 * @returns null when the role may not read the table of migrations
 * @throws when the database does not answer
 */
export async function pendingMigrations(database: Database): Promise<readonly string[] | null> {
  const names = dataSinksMigrations.map((migration) => new migration().name);
  try {
    const done = new Set(await ranOf(database, names));
    return names.filter((name) => !done.has(name));
  } catch (error) {
    if (isMissingRight(error)) return null;
    throw error;
  }
}

async function ranOf(database: Database, names: readonly string[]): Promise<readonly string[]> {
  const { options, driver } = database.dataSource;
  const schema = 'schema' in options ? options.schema : undefined;
  const path = driver.buildTableName(options.migrationsTableName ?? 'migrations', schema as string | undefined);
  const table = path
    .split('.')
    .map((name) => driver.escape(name))
    .join('.');
  const statement = `SELECT name FROM ${table} WHERE name = ANY ($1)`;
  try {
    return (await database.query<{ name: string }>(statement, [names])).map(({ name }) => name);
  } catch (error) {
    // The table is made by the first migration that runs, of anybody's: without it none ran. The database is up.
    if ((error as { code?: unknown } | null)?.code === NO_SUCH_TABLE) return [];
    throw error;
  }
}
