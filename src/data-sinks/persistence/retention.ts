import type { StopSignal } from '../core/cancellation.js';
import { firstIdAt } from '../core/ids.js';
import { type Database, databaseNowMs, rows, type Session } from './database.js';

/** Rows removed by one statement: some milliseconds of work, and locks for no longer. */
const BATCH = 1_000;
/** A partition that is in use is left to the next hour rather than waited for: who waits for it makes others wait. */
const LOCK_TIMEOUT = '2s';

/**
 * Drops the monthly partitions of attempts all of whose month is that old, by the database's clock.
 * @returns their names
 */
export async function dropExpiredAttemptPartitions(
  session: Session,
  retentionMs: number,
  stop?: StopSignal,
): Promise<string[]> {
  const expired = await rows<{ name: string }>(
    session,
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'agent_data_source_sync'::regclass
        AND c.relname ~ '^agent_data_source_sync_y[0-9]{4}m[0-9]{2}$'
        AND to_date(right(c.relname, 8), '"y"YYYY"m"MM') + interval '1 month'
            <= (now() - $1::float8 * interval '1 millisecond') AT TIME ZONE 'UTC'
      ORDER BY c.relname`,
    [retentionMs],
  );
  const dropped: string[] = [];
  for (const { name } of expired) {
    if (stop?.aborted) break;
    await session.transaction(async (transaction) => {
      await transaction.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
      // Another process may have dropped it. The name comes from the catalogue and has one form.
      await transaction.query(`DROP TABLE IF EXISTS ${name}`);
    });
    dropped.push(name);
  }
  return dropped;
}

/** Removes what the safety net caught: attempts of months that had no partition. */
export function removeStrayAttempts(database: Database, retentionMs: number, stop?: StopSignal): Promise<number> {
  return inBatches(stop, () =>
    rows(
      database,
      `DELETE FROM agent_data_source_sync_default
        WHERE (id, started_at) IN (
          SELECT id, started_at FROM agent_data_source_sync_default
           WHERE started_at < now() - $1::float8 * interval '1 millisecond' LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING 1`,
      [retentionMs, BATCH],
    ),
  );
}

/**
 * Removes deliveries that settled, or recoveries that finished, so long ago. They are found along their ids, which begin
 * with the time they were made, so that no index is needed for it.
 */
export async function removeExpired(
  database: Database,
  kind: keyof typeof ENDED_AT,
  retentionMs: number,
  stop?: StopSignal,
): Promise<number> {
  const beforeId = firstIdAt(kind, Math.max((await databaseNowMs(database)) - retentionMs, 0));
  const [table, endedAt] = ENDED_AT[kind];
  return inBatches(stop, () =>
    rows(
      database,
      `DELETE FROM ${table}
        WHERE id IN (
          SELECT id FROM ${table}
           WHERE id < $1 AND ${endedAt} < now() - $2::float8 * interval '1 millisecond'
           ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
       RETURNING 1`,
      [beforeId, retentionMs, BATCH],
    ),
  );
}

const ENDED_AT = {
  delivery: ['agent_data_source_delivery', 'settled_at'],
  recovery: ['agent_data_source_recovery', 'finished_at'],
} as const;

/** Removes completions that old of which no delivery is left. */
export function removeExpiredCompletions(database: Database, retentionMs: number, stop?: StopSignal): Promise<number> {
  return inBatches(stop, () =>
    rows(
      database,
      `DELETE FROM agent_data_source_job
        WHERE (job_id, run) IN (
          SELECT j.job_id, j.run FROM agent_data_source_job j
           WHERE j.created_at < now() - $1::float8 * interval '1 millisecond'
             AND NOT EXISTS (SELECT FROM agent_data_source_delivery d WHERE d.job_id = j.job_id AND d.run = j.run)
           ORDER BY j.created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING 1`,
      [retentionMs, BATCH],
    ),
  );
}

/** A full batch may not have been the last. */
async function inBatches(stop: StopSignal | undefined, removeSome: () => Promise<readonly unknown[]>): Promise<number> {
  let removed = 0;
  while (!stop?.aborted) {
    const { length } = await removeSome();
    removed += length;
    if (length < BATCH) break;
  }
  return removed;
}
