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

/** The code is one that `ProblemFilter` knows: it is answered with 503. */
class SilentDatabaseError extends Error {
  readonly code = 'ETIMEDOUT';
  override readonly name = 'SilentDatabaseError';
}

/**
 * Waits for an answer for so long only. The statement itself waits on, with its connection, until it is answered or the
 * system finds the connection dead.
 */
export async function answeredWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SilentDatabaseError(`no answer in ${limitMs} ms`)), limitMs);
  });
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer));
}
