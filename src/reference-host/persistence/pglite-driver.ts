import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { join } from 'node:path';
import pg from 'pg';
import { lockDataDirectory } from './data-directory-lock.js';

/**
 * A replacement for the package `pg` as TypeORM's `driver`: a pool with one connection to PGlite. Only one, because
 * PGlite is a single session: two "connections" would share transactions. The database opens and closes with the pool.
 * @param dataDir directory of its files, or null for an in-memory database
 */
export function pgliteDriver(dataDir: string | null): typeof pg {
  class PGlitePool extends pg.Pool {
    private readonly opened: OpenedPGlite;

    constructor() {
      const opened = openPGlite(dataDir);
      super({
        max: 1,
        // Dropping an idle connection would free nothing: the database lives as long as the pool.
        idleTimeoutMillis: 0,
        Client: clientClass(opened.database),
        verify: cleanSession,
      } as pg.PoolConfig);
      this.opened = opened;
    }

    /** TypeORM ends its pool with a callback, other callers await it. */
    override end(): Promise<void>;
    override end(done: (error?: Error) => void): void;
    override end(done?: (error?: Error) => void): Promise<void> | void {
      const ended = super.end().then(() => this.opened.close());
      if (!done) return ended;
      ended.then(() => done(), done);
    }
  }
  return { ...pg, Pool: PGlitePool } as unknown as typeof pg;
}

/** The embedded database's files are damaged or not a database. */
export class UnreadableDatabaseError extends Error {
  readonly code = 'database_unreadable';
  override readonly name = 'UnreadableDatabaseError';

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the database in the data directory cannot be opened (${reason}). Set DATA_DIR to another directory.`, {
      cause,
    });
  }
}

interface OpenedPGlite {
  readonly database: PGlite;
  readonly close: () => Promise<void>;
}

function openPGlite(dataDir: string | null): OpenedPGlite {
  const unlock = dataDir === null ? () => undefined : lockDataDirectory(dataDir);
  const database = dataDir === null ? new PGlite() : new PGlite(join(dataDir, 'pglite'));
  const close = async (): Promise<void> => {
    try {
      await database.close();
    } finally {
      unlock();
    }
  };
  return { database, close };
}

/** A separate connection object per client, so that events of an old and a new client do not mix. */
function clientClass(database: PGlite): typeof pg.Client {
  return class PGliteClient extends pg.Client {
    constructor() {
      const config = createPgConfig(database);
      const { connection } = config;
      const connect = connection.connect.bind(connection);
      // Nobody awaits the adapter's connect(), so an unreadable directory would be an unhandled rejection.
      connection.connect = async (port, host) => {
        await connect(port, host).catch((cause: unknown) =>
          connection.emit('error', new UnreadableDatabaseError(cause)),
        );
      };
      // node-postgres passes value parsers as `types`; PGlite would take them for parameter types.
      const parse = connection.parse.bind(connection);
      connection.parse = ({ types: _parsers, ...statement }) => parse(statement);
      super({ ...config } as pg.ClientConfig);
    }
  };
}

/**
 * A server rolls back and unlocks when a connection closes. PGlite's session continues, so a new client does this after
 * a broken one.
 */
function cleanSession(client: pg.PoolClient, done: (error?: Error) => void): void {
  client
    .query('ROLLBACK')
    .then(() => client.query('DISCARD ALL'))
    .then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
}
