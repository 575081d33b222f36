import type { Database } from '../../src/data-sinks/database/database.js';
import { stub } from './stub.js';

/** Answers a statement with its rows. Which statement it is, it tells by the text. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a statement is given differs with the statement
type AnswerStatement = (text: string, values: any) => unknown;

/**
 * A `Database` whose statements a function answers. Its transactions are itself, and are committed as soon as they begin.
 * @param more what a test has otherwise, such as the time
 */
export function fakeDatabase(answer: AnswerStatement = () => [], more: Partial<Database> = {}): Database {
  const query = async (text: string, values: readonly unknown[] = []) => (await answer(text, values)) as never[];
  const database: Database = stub<Database>({
    query,
    prepared: query,
    execute: async (text, values) => (await query(text, values)).length,
    transaction: (work) => work(database),
    in: () => database,
    withinLease: () => database,
    afterCommit: (action) => action(),
    ...more,
  });
  return database;
}

/** A real database, with something that a test does before each statement: note it, fail it, do something meanwhile. */
export function watchedDatabase(
  real: Database,
  before: (text: string, values: readonly unknown[]) => unknown,
): Database {
  const watched =
    <A>(run: (text: string, values: readonly unknown[]) => Promise<A>) =>
    async (text: string, values: readonly unknown[] = []): Promise<A> => {
      await before(text, values);
      return run(text, values);
    };
  return fakeDatabase(undefined, {
    query: watched((text, values) => real.query<never>(text, values)),
    prepared: watched((text, values) => real.prepared<never>(text, values)),
    execute: watched((text, values) => real.execute(text, values)),
    transaction: (work) => real.transaction((inside) => work(watchedDatabase(inside, before))),
    withinLease: () => watchedDatabase(real.withinLease(), before),
  });
}
