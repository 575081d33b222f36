import type { EntityManager } from 'typeorm';

/** The pool's manager, or that of the caller's transaction. */
export type Session = Pick<EntityManager, 'query'>;

/** Runs any kind of statement and returns its rows. */
export async function rows<T>(session: Session, sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
  const result: unknown = await session.query(sql, [...parameters]);
  // TypeORM returns [rows, count] for UPDATE and DELETE, and rows for everything else.
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number') {
    return result[0] as T[];
  }
  return result as T[];
}

/** `ProblemFilter` maps this code to 503. */
class SilentDatabaseError extends Error {
  readonly code = 'ETIMEDOUT';
  override readonly name = 'SilentDatabaseError';
}

/**
 * Waits for a result with a time limit. The statement keeps its connection until it ends or the system detects a dead
 * connection.
 */
export async function answeredWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SilentDatabaseError(`no answer in ${limitMs} ms`)), limitMs);
  });
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer));
}
