import { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { pgliteDriver } from '../../../src/reference-host/persistence/pglite-driver.js';

/**
 * An empty database, for tests of the migrations themselves.
 * @param upTo the last migration that it knows. @default all
 */
export function openUnmigrated(upTo?: string): Promise<DataSource> {
  const names = dataSinksMigrations.map((migration) => new migration().name);
  return new DataSource({
    type: 'postgres',
    driver: pgliteDriver(null),
    entities: dataSinksEntities,
    migrations: upTo === undefined ? dataSinksMigrations : dataSinksMigrations.slice(0, names.indexOf(upTo) + 1),
    migrationsTransactionMode: 'each',
  }).initialize();
}
