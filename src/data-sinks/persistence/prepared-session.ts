import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Database } from './database.js';

/** The part of node-postgres's pool that is used, as TypeORM's PostgreSQL driver holds it. */
interface Pool {
  query(statement: Statement): Promise<{
    readonly command: string;
    readonly rows: unknown[];
    readonly rowCount: number | null;
  }>;
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
   * The same for statements that are waited for so long at most. The pool drops the connection of one that is late:
   * it may be lost, and whoever ends the pool would wait for it.
   */
  within(ms: number): Database {
    return { query: async <T>(text: string, parameters: unknown[] = []) => this.#run<T>(text, parameters, ms) };
  }

  async #run<T>(text: string, values: unknown[], withinMs?: number): Promise<T> {
    const statement: Statement = { name: this.#nameOf(text), text, values };
    const { command, rows, rowCount } = await this.#pool().query(
      withinMs === undefined ? statement : { ...statement, query_timeout: withinMs },
    );
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
