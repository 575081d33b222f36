import { DataSource, type DataSourceOptions } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../data-sinks/index.js';
import type { HostEnvironment } from '../environment.js';
import { hostMigrations } from './migrations/index.js';
import { pgliteDriver } from './pglite-driver.js';

type DatabaseEnvironment = Pick<HostEnvironment, 'databaseUrl' | 'dataDir'>;

/** TCP keep-alive detects a dead connection, so that no statement hangs on it. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * How long to wait for a connection, new or from the pool. Statements have no timeout (`query_timeout`): this pool also
 * runs migrations and waits for their lock, and a client-side timeout would not stop the statement in the database.
 */
const CONNECTION_TIMEOUT = { connectionTimeoutMillis: 10_000 };

/** The host's only DataSource: PostgreSQL at `DATABASE_URL`, else PGlite in the data directory. Not initialised yet. */
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
