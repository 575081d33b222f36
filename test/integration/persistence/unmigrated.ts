import { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { pgliteDriver } from '../../../src/reference-host/persistence/pglite-driver.js';

/** An empty database, for tests of the migrations themselves. */
export function openUnmigrated(): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    driver: pgliteDriver(null),
    entities: dataSinksEntities,
    migrations: dataSinksMigrations,
    migrationsTransactionMode: 'each',
  }).initialize();
}
