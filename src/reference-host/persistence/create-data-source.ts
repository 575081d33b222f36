import { DataSource, type DataSourceOptions } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../data-sinks/index.js';
import type { HostEnvironment } from '../environment.js';
import { hostMigrations } from './migrations/index.js';
import { pgliteDriver } from './pglite-driver.js';

type DatabaseEnvironment = Pick<HostEnvironment, 'databaseUrl' | 'dataDir'>;

/** The host's one DataSource: PostgreSQL at `DATABASE_URL`, else PGlite in the data directory. Not yet initialised. */
export function createDataSource({ databaseUrl, dataDir }: DatabaseEnvironment): DataSource {
  const shared = {
    type: 'postgres',
    entities: dataSinksEntities,
    migrations: [...dataSinksMigrations, ...hostMigrations],
    migrationsTransactionMode: 'each',
  } as const satisfies DataSourceOptions;
  return databaseUrl === null
    ? new DataSource({ ...shared, driver: pgliteDriver(dataDir) })
    : new DataSource({ ...shared, url: databaseUrl, applicationName: 'data-sinks-host', poolSize: 20 });
}
