import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { join } from 'node:path';
import pg from 'pg';
import { lockDataDirectory } from './data-directory-lock.js';

/**
 * What TypeORM takes as `driver` in the place of the package `pg`: a pool of one connection into PGlite. One, because
 * PGlite is one session: two "connections" would share transactions, and a rollback in one would keep the other's half.
 * The database opens with the pool and closes with it.
 * @param dataDir where the files are, or null for a database in memory
 */
export function pgliteDriver(dataDir: string | null): typeof pg {
  class PGlitePool extends pg.Pool {
    private readonly opened: OpenedPGlite;

    constructor() {
      const opened = openPGlite(dataDir);
      super({
        max: 1,
        // Dropping an idle connection frees nothing here: the database lives as long as the pool.
        idleTimeoutMillis: 0,
        Client: clientClass(opened.database),
        verify: cleanSession,
      } as pg.PoolConfig);
      this.opened = opened;
    }

    /** TypeORM ends its pool with a callback, everyone else awaits it. */
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

/** The embedded database's files are not such, or damaged. */
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

/** Each client gets a connection object of its own: a shared one would mix the events of the old client and the new. */
function clientClass(database: PGlite): typeof pg.Client {
  return class PGliteClient extends pg.Client {
    constructor() {
      const config = createPgConfig(database);
      const { connection } = config;
      const connect = connection.connect.bind(connection);
      // Nobody awaits the adapter's connect(): a directory that cannot be opened would end as an unhandled rejection.
      connection.connect = async (port, host) => {
        await connect(port, host).catch((cause: unknown) =>
          connection.emit('error', new UnreadableDatabaseError(cause)),
        );
      };
      super({ ...config } as pg.ClientConfig);
    }
  };
}

/**
 * A server rolls back and unlocks when a connection closes. PGlite's session goes on, so a client that replaces a broken
 * one does it instead.
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
