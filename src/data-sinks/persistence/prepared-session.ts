import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type Backend, cancelStatement } from './cancel-statement.js';
import type { Database } from './database.js';

interface Answer {
  readonly command: string;
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/** The part of node-postgres's pool that is used, as TypeORM's PostgreSQL driver holds it. */
interface Pool {
  query(statement: Statement): Promise<Answer>;
  connect(): Promise<Client>;
}

interface Client extends Backend {
  query(statement: Statement): Promise<Answer>;
  on(event: 'error', listener: () => void): void;
  off(event: 'error', listener: () => void): void;
  /** @param error drops the connection */
  release(error?: Error): void;
}

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
  /** In milliseconds, from when it is sent. */
  readonly query_timeout?: number;
}

interface Prepared {
  readonly digest: string;
  executions: number;
}

/** A statement is prepared anew when it has been executed so many times more often than at the last time. */
const GROWTH = 4;

/**
 * Runs the worker's statements, outside of transactions, as named prepared statements: PostgreSQL then plans them once
 * per connection, which for some of them costs as much as executing them. Their texts are constants, so that there is a
 * handful of them. What a query answers is what TypeORM's `query` answers.
 *
 * A plan is as good as what was known when it was made, and one that was made for empty tables may read them through,
 * until the database has analysed them, a minute later. So plans age with use: a statement gets a new name, and a new
 * plan, after its 4th, 16th, 64th … execution.
 */
export class PreparedSession implements Database {
  readonly #dataSource: DataSource;
  readonly #prepared = new Map<string, Prepared>();

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** @throws the driver's own error */
  readonly query = async <T>(text: string, parameters: unknown[] = []): Promise<T> => this.#run(text, parameters);

  /**
   * The same for statements that are waited for so long at most. The pool drops the connection of one that is late: it may
   * be lost, and whoever ends the pool would wait for it. PostgreSQL is asked to end the statement first: it notices no
   * connection's end while it waits for a lock, and would write, once it has it, what nobody waits for any more. A
   * `statement_timeout` would cost a round trip for each statement, or limit the host's on the same connections.
   */
  within(ms: number): Database {
    return { query: async <T>(text: string, parameters: unknown[] = []) => this.#run<T>(text, parameters, ms) };
  }

  async #run<T>(text: string, values: unknown[], withinMs?: number): Promise<T> {
    const statement: Statement = { name: this.#nameOf(text), text, values };
    const { command, rows, rowCount } = await (withinMs === undefined
      ? this.#pool().query(statement)
      : runWithin(this.#pool(), statement, withinMs));
    return (command === 'UPDATE' || command === 'DELETE' ? [rows, rowCount] : rows) as T;
  }

  /** Taken anew each time: TypeORM makes it when it connects. */
  #pool(): Pool {
    const { master } = this.#dataSource.driver as { readonly master?: Pool };
    if (!master) throw new Error('the data source is not connected');
    return master;
  }

  /** By its text: modules that share a pool of connections agree on it, and different statements never do. */
  #nameOf(text: string): string {
    let prepared = this.#prepared.get(text);
    if (!prepared) {
      prepared = { digest: createHash('sha256').update(text).digest('base64url').slice(0, 16), executions: 0 };
      this.#prepared.set(text, prepared);
    }
    const age = Math.floor(Math.log(++prepared.executions) / Math.log(GROWTH));
    return `data-sinks-${prepared.digest}-${age}`;
  }
}

const ignore = (): void => undefined;

async function runWithin(pool: Pool, statement: Statement, ms: number): Promise<Answer> {
  const client = await pool.connect();
  // The statement fails of what happens to its connection; an error event that nobody hears would end the process.
  client.on('error', ignore);
  const release = (error?: Error): void => {
    client.release(error);
    client.off('error', ignore);
  };
  try {
    const answer = await client.query({ ...statement, query_timeout: ms });
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
