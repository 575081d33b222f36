import { type DataSource, MigrationExecutor } from 'typeorm';

/** Key of the advisory lock; any number that no other program uses in this database. */
const MIGRATION_LOCK = 7_305_511_202;

/**
 * Opens the database and runs pending migrations. Several hosts may start at once; the advisory lock serialises them.
 * The lock belongs to the transaction that runs the migrations: a session lock would stay on a connection that a pooler
 * such as PgBouncer gives to another client.
 * @returns the names of the migrations that were run
 */
export async function openDatabase(dataSource: DataSource): Promise<string[]> {
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction('READ COMMITTED');
    await runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    // In the open transaction: all of them or none.
    const ran = await new MigrationExecutor(dataSource, runner).executePendingMigrations();
    await runner.commitTransaction();
    return ran.map(({ name }) => name);
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
    await dataSource.destroy();
    throw error;
  } finally {
    if (!runner.isReleased) await runner.release();
  }
}
