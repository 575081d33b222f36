import type { EntityManager } from 'typeorm';

/**
 * Where a statement runs: the pool, or the transaction that the caller is in. Repositories take the one they are given;
 * on the embedded database, which has one connection, reaching for the pool inside a transaction would wait for ever.
 */
export type Database = Pick<EntityManager, 'query'>;

/** Runs a statement and says what shape its rows have. */
export async function rows<T>(database: Database, sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
  const result: unknown = await database.query(sql, [...parameters]);
  // TypeORM answers UPDATE and DELETE with [rows, count], everything else with the rows.
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number') {
    return result[0] as T[];
  }
  return result as T[];
}

/** Turns rows into one array per column, for `unnest`: a batch of any size is then one statement with a fixed text. */
export function columns<T>(items: readonly T[], ...pick: readonly ((item: T) => unknown)[]): unknown[][] {
  return pick.map((column) => items.map(column));
}

/** What time it is for the database, in milliseconds since 1970. */
export async function databaseNowMs(database: Database): Promise<number> {
  const [row] = await rows<{ now: Date }>(database, 'SELECT now() AS now');
  if (!row) throw new Error('SELECT now() gave no row');
  return row.now.getTime();
}

/** The pool's manager or a transaction's, for the layers above, which know no ORM. */
export type { EntityManager as Session } from 'typeorm';
