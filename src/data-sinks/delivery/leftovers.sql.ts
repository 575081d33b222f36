import type { OpenedAttempt } from '../domain/attempt-end.js';
import type { ManifestEntry } from '../domain/attempt.js';
import type { Database } from '../database/database.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';
import type { Leftover } from '../destinations/destination.js';

type AttemptKey = Pick<OpenedAttempt, 'attemptId' | 'startedAt'>;

/**
 * Puts on an attempt's row what its process leaves behind should it die from now on.
 * @param leaseToken of the delivery: a worker that has lost it must leave nothing behind
 * @returns false when the delivery is no longer this worker's
 */
export async function writeLeftover(
  database: Database,
  { attemptId, startedAt }: AttemptKey,
  leaseToken: string,
  leftover: Leftover,
): Promise<boolean> {
  const written = await database.query(
    `UPDATE agent_data_source_sync a SET leftover = $4::jsonb
       FROM agent_data_source_delivery d
      WHERE a.id = $1 AND a.started_at = $2 AND d.id = a.delivery_id AND d.lease_token = $3::uuid
     RETURNING a.id`,
    [attemptId, startedAt, leaseToken, JSON.stringify(leftover)],
  );
  return written.length === 1;
}

/** Nothing is left. Writing it twice changes nothing. */
export async function clearLeftover(database: Database, { attemptId, startedAt }: AttemptKey): Promise<void> {
  await database.execute('UPDATE agent_data_source_sync SET leftover = NULL WHERE id = $1 AND started_at = $2', [
    attemptId,
    startedAt,
  ]);
}

/** What became of the objects of a delivery's attempts, oldest first. */
export async function objectsOf(
  database: Database,
  workspaceId: string,
  deliveryId: string,
): Promise<readonly ManifestEntry[]> {
  const found = await database.query<{ manifest_json: readonly ManifestEntry[] }>(
    `SELECT manifest_json FROM agent_data_source_sync
      WHERE delivery_id = $1 AND workspace_id = $2 AND manifest_json IS NOT NULL ORDER BY attempt_number`,
    [deliveryId, workspaceId],
  );
  return found.flatMap(({ manifest_json }) => manifest_json);
}

/** An attempt that has ended, and what it left behind. */
export interface LeftBehind {
  readonly attemptId: string;
  readonly startedAt: Date;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly leftover: Leftover;
}

/**
 * Not while the delivery is sent again: what it has begun over there by now may look like what was left.
 * @param dataSourceId of this sink alone; null for all. One that is deleted has no secret any more
 */
export async function listLeftovers(
  database: Database,
  dataSourceId: string | null,
  after: string,
  limit: number,
): Promise<readonly LeftBehind[]> {
  const found = await database.query<Omit<LeftBehind, 'startedAt'> & { started_ms: number }>(
    `SELECT a.id AS "attemptId", ${millisecondsOf('a.started_at')} AS started_ms, a.workspace_id AS "workspaceId", a.agent_id AS "agentId",
            a.data_source_id AS "dataSourceId", a.leftover
       FROM agent_data_source_sync a
       JOIN agent_data_source s ON s.id = a.data_source_id
       JOIN agent_data_source_delivery d ON d.id = a.delivery_id
      WHERE a.leftover IS NOT NULL AND a.status <> 'IN_FLIGHT' AND d.status <> 'IN_FLIGHT' AND s.deleted_at IS NULL
        AND ($1::text IS NULL OR a.data_source_id = $1) AND a.id > $2
      ORDER BY a.id LIMIT $3`,
    [dataSourceId, after, limit],
  );
  return found.map(({ started_ms, ...left }) => ({ ...left, startedAt: timeOf(started_ms) }));
}
