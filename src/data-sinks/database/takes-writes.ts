import type { Database } from './database.js';

/** Whether the database takes writes by its own word; a disk that is full is not told by it. @throws when it does not answer */
export async function takesWrites(database: Database): Promise<boolean> {
  const [row] = await database.query<{ writable: boolean }>(
    `SELECT NOT (pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean) AS writable`,
  );
  return row?.writable === true;
}
