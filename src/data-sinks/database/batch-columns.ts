/** A column of a batch: its SQL type, and its value in an item. */
type Column<T> = readonly [type: string, valueOf: (item: T) => unknown];

/** By their names. */
export type Columns<T> = Readonly<Record<string, Column<T>>>;

/**
 * The columns of a batch, each with its name, its type and its value. A batch of any size is then one statement with a
 * fixed text: one array per column, for `unnest`.
 * @example
 * const KEYS = new BatchColumns<JobKey>({ job_id: ['text', (key) => key.jobId], run: ['int', (key) => key.run] });
 * database.query(`DELETE FROM job USING ${KEYS.unnest('k')} WHERE …`, KEYS.valuesOf(keys));
 */
export class BatchColumns<T> {
  readonly #columns: readonly (readonly [name: string, column: Column<T>])[];

  constructor(columns: Columns<T>) {
    this.#columns = Object.entries(columns);
  }

  /** The names, for an INSERT. */
  get names(): string {
    return this.#columns.map(([name]) => name).join(', ');
  }

  /** Number of parameters. */
  get length(): number {
    return this.#columns.length;
  }

  /**
   * @param alias of the rows
   * @param first number of the first parameter
   * @returns `unnest($1::text[], …) AS alias (name, …)`
   */
  unnest(alias: string, first = 1): string {
    const arrays = this.#columns.map(([, [type]], i) => `$${first + i}::${type}[]`);
    return `unnest(${arrays.join(', ')}) AS ${alias} (${this.names})`;
  }

  /**
   * The same, for frequent batches of up to a few dozen items. PostgreSQL estimates ten items for an array parameter, so
   * the generic plan looks more expensive than a custom one and the statement is planned at every call. An unknown LIMIT
   * is estimated at a tenth of that, and the generic plan is used (decision 010).
   */
  few(alias: string, first = 1): string {
    const [, [type] = ['']] = this.#columns[0] ?? [];
    return `(SELECT * FROM ${this.unnest(alias, first)} LIMIT cardinality($${first}::${type}[])) AS ${alias}`;
  }

  /** The parameters: one array per column. */
  valuesOf(items: readonly T[]): unknown[][] {
    return this.#columns.map(([, [, valueOf]]) => items.map(valueOf));
  }
}
