import { type Database, rows } from './database.js';

/**
 * Makes the monthly partitions of the attempts from this month on, where they are missing. The months are those of UTC,
 * by the database's clock.
 * @returns the names of the partitions that were made
 */
export async function createAttemptPartitions(database: Database, monthsAhead = 2): Promise<string[]> {
  const missing = await rows<{ name: string; from: string; to: string }>(
    database,
    `SELECT name, to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00' AS from,
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' AS to
       FROM generate_series(0, $1::int) AS ahead,
            LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month' AS month) AS m,
            LATERAL (SELECT 'agent_data_source_sync_' || to_char(month, '"y"YYYY"m"MM') AS name) AS n
      WHERE to_regclass(name) IS NULL`,
    [monthsAhead],
  );
  for (const { name, from, to } of missing) {
    // Room for the row's second version, the closed one, on the same page: its index entries are then made once.
    // IF NOT EXISTS: several processes may start at once. The values come from the statement above, not from outside.
    await database.query(
      `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF agent_data_source_sync FOR VALUES FROM ('${from}') TO ('${to}')
         WITH (fillfactor = 60)`,
    );
  }
  return missing.map(({ name }) => name);
}
