import type { DataSource } from 'typeorm';
import { type Backend, cancelStatement } from './cancel-statement.js';
import type { ValueParsers } from './value-parsers.js';

/** The part of node-postgres that is used: a pool, or one of its clients. */
export interface Queryable {
  query(statement: Statement): Promise<Answer>;
}

export interface Statement {
  /** A statement with a name is prepared under it. */
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
  readonly types: ValueParsers;
  /** In milliseconds, from when it is sent. */
  readonly query_timeout?: number;
}

export interface Answer {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/** As TypeORM's PostgreSQL driver holds it. */
interface Pool extends Queryable {
  connect(): Promise<Client>;
}

interface Client extends Queryable, Backend {
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
  /** @param error drops the connection */
  release(error?: Error): void;
}

/** The pool of the primary; taken anew each time, since TypeORM makes it when it connects. */
export function primaryPool(dataSource: DataSource): Pool {
  const { master } = dataSource.driver as { readonly master?: Pool };
  if (!master) throw new Error('the data source is not connected');
  return master;
}

const ignore = (): void => undefined;

/**
 * Sends a statement that is waited for no longer than the limit. The connection of one that is late is dropped: it may be
 * lost, and the end of the pool would wait for it. PostgreSQL is asked to end the statement first: while it waits for a
 * lock it does not notice that a connection has ended, and would write, once it has the lock, what nobody waits for any
 * more. A `statement_timeout` would cost a round trip for each statement, or limit the host's on the same connections.
 */
export async function sendWithin(pool: Pool, statement: Statement, limitMs: number): Promise<Answer> {
  const client = await pool.connect();
  // The statement fails of what happens to its connection; an error event that nobody hears would end the process.
  client.on('error', ignore);
  const release = (error?: Error): void => {
    client.release(error);
    client.off('error', ignore);
  };
  try {
    const answer = await client.query({ ...statement, query_timeout: limitMs });
    release();
    return answer;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    // While the connection is still there: a proxy forgets whom it stood for with its end. Nobody waits for this.
    if (isAnswer(error)) release(error);
    else void cancelStatement(client).then(() => release(error));
    throw error;
  }
}

/** Whether the database said so itself, and is done with the statement. */
function isAnswer(error: Error): boolean {
  return 'severity' in error;
}
