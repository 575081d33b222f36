import { type DataSource, QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';

/** The part of node-postgres's pools that is used, as TypeORM's PostgreSQL driver holds them. */
interface Pool {
  on(event: 'acquire', listener: (client: Client) => void): unknown;
}

interface Client {
  on(event: 'error', listener: () => void): unknown;
}

/** Those whose connections are listened to. */
const KNOWN = new WeakSet<Pool>();

/**
 * Keeps a restart of PostgreSQL from ending the process. Between the pool that hands out a connection and TypeORM, which
 * then listens for its errors, is a moment in which nobody does; and what a server that shuts down says last comes in
 * the same packet as the answer before it, in just that moment. Node ends a process over an error without a listener.
 * Whoever has the connection is told all the same: its next statement is refused.
 */
export function outliveConnectionErrors(dataSource: DataSource): void {
  const { master, slaves = [] } = dataSource.driver as { readonly master?: Pool; readonly slaves?: readonly Pool[] };
  for (const pool of [...(master ? [master] : []), ...slaves]) {
    if (KNOWN.has(pool)) continue;
    KNOWN.add(pool);
    const heard = new WeakSet<Client>();
    pool.on('acquire', (client) => {
      if (heard.has(client)) return;
      heard.add(client);
      client.on('error', () => undefined);
    });
  }
}

/** Of the network, where the database is asked; and SQLSTATEs: a server that stops, starts, or has no room. */
const AWAY =
  /^(ECONN\w+|E(HOST|NET)(UNREACH|DOWN)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|08\w{3}|57P0[1235]|53300|no_answer)$/;

/** What node-postgres and its pool say without a code: there is nothing but the words to know them by. */
const AWAY_IN_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (has encountered a connection error|was closed) and is not queryable)/;

/** Whether the database is away, rather than the statement wrong: the same may succeed in a moment. */
export function isConnectionError(error: unknown): boolean {
  // Its connection broke between two statements of a transaction.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? AWAY.test(code) : AWAY_IN_WORDS.test(cause.message);
}
