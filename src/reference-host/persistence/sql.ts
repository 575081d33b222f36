import type { EntityManager } from 'typeorm';

/** The pool's manager, or that of the transaction that the caller is in. */
export type Session = Pick<EntityManager, 'query'>;

/** Runs a statement that answers rows, whichever kind it is. */
export async function rows<T>(session: Session, sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
  const result: unknown = await session.query(sql, [...parameters]);
  // TypeORM answers UPDATE and DELETE with [rows, count], everything else with the rows.
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number') {
    return result[0] as T[];
  }
  return result as T[];
}
