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

/** SQLSTATEs: a transaction of an isolation level that is stricter than READ COMMITTED, and a deadlock. */
const CONFLICTS = new Set<unknown>(['40001', '40P01']);

/**
 * The driver's error in one of TypeORM's. Not told by `instanceof Error`: what a socket throws is of another realm than a
 * host's tests in Jest.
 */
function driverErrorOf(error: unknown): { readonly code?: unknown; readonly message?: unknown } {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** Whether the database ended a statement, and its transaction, in favour of somebody else's: the same may succeed at once. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(driverErrorOf(error).code);
}

/** Whether the database is away, rather than the statement wrong: the same may succeed in a moment. */
export function isConnectionError(error: unknown): boolean {
  // Its connection broke between two statements of a transaction.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const { code, message } = driverErrorOf(error);
  return typeof code === 'string' ? AWAY.test(code) : typeof message === 'string' && AWAY_IN_WORDS.test(message);
}

/** Whether the database itself said that, and so is there. */
export function isDatabaseAnswer(error: unknown): boolean {
  return 'severity' in driverErrorOf(error);
}
