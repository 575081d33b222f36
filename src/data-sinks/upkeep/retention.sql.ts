import type { StopSignal } from '../tools/cancellation.js';
import { firstIdAt } from '../domain/ids.js';
import { isMissingRight } from '../database/missing-right.js';
import { millisecondsOf } from '../database/value-parsers.js';
import type { Database } from '../database/database.js';

/** Rows deleted per statement, which holds its locks for some milliseconds. */
const BATCH = 1_000;
/** Lock timeout: a partition in use is skipped until the next hour, since others would queue behind us. */
const LOCK_TIMEOUT = '2s';

export interface RemovedPartitions {
  /** Names of the dropped partitions. */
  readonly dropped: readonly string[];
  /** Number of attempts deleted from partitions that the role may not drop. */
  readonly attempts: number;
  /** Errors of the others, by partition name. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/**
 * Drops monthly partitions whose attempts are all older than `retentionMs`, by the database's clock. Where the role may
 * not drop a partition, deletes its attempts instead.
 */
export async function removeExpiredAttemptPartitions(
  session: Database,
  retentionMs: number,
  stop?: StopSignal,
): Promise<RemovedPartitions> {
  const expired = await session.query<{ name: string; end: number }>(
    `SELECT name, ${millisecondsOf(`"end" AT TIME ZONE 'UTC'`)} AS end FROM (
       SELECT c.oid::regclass::text AS name, to_date(right(c.relname, 8), '"y"YYYY"m"MM') + interval '1 month' AS "end"
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'agent_data_source_sync'::regclass AND c.relname ~ '_y[0-9]{4}m[0-9]{2}$') p
      WHERE "end" <= (now() - $1::float8 * interval '1 millisecond') AT TIME ZONE 'UTC'
      ORDER BY "end"`,
    [retentionMs],
  );
  const dropped: string[] = [];
  const failures = new Map<string, unknown>();
  let attempts = 0;
  for (const { name, end } of expired) {
    if (stop?.aborted) break;
    try {
      await dropPartition(session, name);
      dropped.push(name);
    } catch (error) {
      failures.set(name, error);
      if (isMissingRight(error)) attempts += await removeAttemptsBefore(session, end, stop);
    }
  }
  return { dropped, attempts, failures };
}

/** Another process may have dropped it. The name comes from the catalogue. */
function dropPartition(session: Database, name: string): Promise<unknown> {
  return session.transaction(async (transaction) => {
    await transaction.execute(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await transaction.execute(`DROP TABLE IF EXISTS ${name}`);
  });
}

/** Deletes through the parent table: the role needs no privilege on the partition itself. */
function removeAttemptsBefore(database: Database, endMs: number, stop?: StopSignal): Promise<number> {
  return inBatches(stop, () =>
    database.query(
      `DELETE FROM agent_data_source_sync
        WHERE started_at < to_timestamp($1::float8 / 1000)
          AND (id, started_at) IN (
            SELECT id, started_at FROM agent_data_source_sync
             WHERE started_at < to_timestamp($1::float8 / 1000) LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING 1`,
      [endMs, BATCH],
    ),
  );
}

/** Deletes old attempts from the default partition. */
export function removeStrayAttempts(database: Database, retentionMs: number, stop?: StopSignal): Promise<number> {
  return inBatches(stop, () =>
    database.query(
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
 * Deletes deliveries that settled, and recoveries that finished, before the retention period. Scans by id, which begins
 * with the creation time, so no extra index is needed.
 */
export async function removeExpired(
  database: Database,
  kind: keyof typeof ENDED_AT,
  retentionMs: number,
  stop?: StopSignal,
): Promise<number> {
  const beforeId = firstIdAt(kind, Math.max((await database.now()) - retentionMs, 0));
  const [table, endedAt] = ENDED_AT[kind];
  return inBatches(stop, () =>
    database.query(
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

/** Deletes old completions that have no deliveries left. */
export function removeExpiredCompletions(database: Database, retentionMs: number, stop?: StopSignal): Promise<number> {
  return inBatches(stop, () =>
    database.query(
      `DELETE FROM agent_data_source_job
        WHERE (workspace_id, job_id, run) IN (
          SELECT j.workspace_id, j.job_id, j.run FROM agent_data_source_job j
           WHERE j.created_at < now() - $1::float8 * interval '1 millisecond'
             AND NOT EXISTS (
               SELECT FROM agent_data_source_delivery d
                WHERE d.workspace_id = j.workspace_id AND d.job_id = j.job_id AND d.run = j.run)
           ORDER BY j.created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING 1`,
      [retentionMs, BATCH],
    ),
  );
}

/** A full batch means that there may be more. */
async function inBatches(stop: StopSignal | undefined, removeSome: () => Promise<readonly unknown[]>): Promise<number> {
  let removed = 0;
  while (!stop?.aborted) {
    const { length } = await removeSome();
    removed += length;
    if (length < BATCH) break;
  }
  return removed;
}
