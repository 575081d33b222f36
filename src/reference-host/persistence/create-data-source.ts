import { DataSource, type DataSourceOptions } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../data-sinks/index.js';
import type { HostEnvironment } from '../environment.js';
import { hostMigrations } from './migrations/index.js';
import { pgliteDriver } from './pglite-driver.js';

type DatabaseEnvironment = Pick<HostEnvironment, 'databaseUrl' | 'dataDir'>;

/** A connection that was cut without a word is noticed by the system, and not by the next statement hanging on it. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * How long a statement waits for a connection: a new one that is not accepted, or one of the pool. There is no limit for
 * the statements themselves (`query_timeout`): this pool also runs migrations and the wait for their lock, which take as
 * long as they take, and what would be given up on this side goes on in the database.
 */
const CONNECTION_TIMEOUT = { connectionTimeoutMillis: 10_000 };

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
    : new DataSource({
        ...shared,
        url: databaseUrl,
        applicationName: 'data-sinks-host',
        poolSize: 20,
        extra: { ...KEEP_ALIVE, ...CONNECTION_TIMEOUT },
      });
}
