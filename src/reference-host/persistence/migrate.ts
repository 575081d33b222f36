import { type DataSource, MigrationExecutor } from 'typeorm';

/** Any number that no other program of this database takes. */
const MIGRATION_LOCK = 7_305_511_202;

/**
 * Opens the database and brings its tables up to date. Several hosts may start at once: the advisory lock makes them do
 * it one after the other. Lock, migrations and unlock share one connection; the embedded database has no other.
 * @returns the names of the migrations that were run now
 */
export async function openDatabase(dataSource: DataSource): Promise<string[]> {
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      return (await executor.executePendingMigrations()).map(({ name }) => name);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } catch (error) {
    await runner.release();
    await dataSource.destroy();
    throw error;
  } finally {
    if (!runner.isReleased) await runner.release();
  }
}
