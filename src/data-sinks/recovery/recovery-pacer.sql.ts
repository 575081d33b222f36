import type { DataSink } from '../domain/data-sink.js';
import type { RecoveryReason, RecoveryStatus } from '../domain/recovery.js';
import { COUNT_ENDED, redeliver } from '../delivery/redelivery.sql.js';
import type { Database } from '../database/database.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

/** A recovery that is not finished, with the current state of its sink. */
export interface UnfinishedRecovery {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  /** Null when its row is gone. */
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
}

type UnfinishedRow = Omit<UnfinishedRecovery, 'sink'> & {
  readonly status: DataSink['status'] | null;
  readonly deletedAt: number | null;
};

/** Unfinished recoveries, oldest first; at most one per sink runs. Those of disabled sinks wait. */
export async function findUnfinished(database: Database): Promise<UnfinishedRecovery[]> {
  const found = await database.query<UnfinishedRow>(
    `SELECT r.id, r.workspace_id AS "workspaceId", r.agent_id AS "agentId", r.data_source_id AS "dataSourceId",
            s.status, ${millisecondsOf('s.deleted_at')} AS "deletedAt"
       FROM agent_data_source_recovery r
       LEFT JOIN agent_data_source s ON s.id = r.data_source_id
      WHERE r.finished_at IS NULL AND s.status IS DISTINCT FROM 'DISABLED'
      ORDER BY r.id`,
  );
  return found.map(({ status, deletedAt, ...recovery }) => ({
    ...recovery,
    sink: status && { status, deletedAt: timeOf(deletedAt) },
  }));
}

/**
 * Locks a recovery until the transaction ends, so that only one process makes its deliveries due.
 * @returns null when another process has locked it, or it has finished
 */
export async function lockUnfinished(transaction: Database, id: string): Promise<RecoveryStatus | null> {
  const [locked] = await transaction.query<{ status: RecoveryStatus }>(
    `SELECT status FROM agent_data_source_recovery WHERE id = $1 AND finished_at IS NULL FOR UPDATE SKIP LOCKED`,
    [id],
  );
  return locked?.status ?? null;
}

/** States of a recovery's deliveries that have not been counted yet: waiting or ended. */
export function countStanding(recoveryId: string): string {
  return `
    SELECT ${COUNT_ENDED}, count(*) FILTER (WHERE status IN ('PENDING', 'RETRYING', 'IN_FLIGHT'))::int AS waiting
      FROM agent_data_source_delivery WHERE recovery_id = ${recoveryId}`;
}

/** A recovery's remaining deliveries in the order in which they failed, read from the index on failed deliveries. */
const LEFT = `
  SELECT f.id FROM agent_data_source_delivery f
   WHERE f.data_source_id = r.data_source_id AND f.status = 'FAILED'
     AND f.settled_at >= r.since AND f.settled_at < r.until
   ORDER BY f.settled_at LIMIT`;

const NEXT = `
SELECT d.id, r.workspace_id AS "workspaceId"
  FROM agent_data_source_recovery r
  JOIN agent_data_source s ON s.id = r.data_source_id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
 CROSS JOIN LATERAL (
   SELECT count(*) AS n FROM agent_data_source_delivery w
    WHERE w.recovery_id = r.id AND w.status IN ('PENDING', 'RETRYING', 'IN_FLIGHT')) waiting
 CROSS JOIN LATERAL (${LEFT} greatest(least($2::int - waiting.n, r.total - r.redelivered), 0)) d
 WHERE r.id = $1 AND r.status = 'RUNNING'`;

/**
 * Makes the next deliveries of a recovery due, in the order in which they failed.
 * @param window maximum number that may wait or be in flight at once
 * @returns how many were made due; 0 if the sink is not active
 */
export async function redeliverNext(transaction: Database, id: string, window: number): Promise<number> {
  const next = await transaction.query<{ id: string; workspaceId: string }>(NEXT, [id, window]);
  if (next.length === 0) return 0;
  const chosen = next.map((one) => ({ ...one, recoveryId: id }));
  const { length } = await redeliver(transaction, chosen, ['FAILED']);
  await transaction.execute('UPDATE agent_data_source_recovery SET redelivered = redelivered + $2::int WHERE id = $1', [
    id,
    length,
  ]);
  return length;
}

/** Stops making deliveries due. Those already due proceed. @returns false when it was not running */
export async function cancelRecovery(database: Database, id: string, reason: RecoveryReason): Promise<boolean> {
  const cancelled = await database.query(
    `UPDATE agent_data_source_recovery SET status = 'CANCELLED', reason = $2 WHERE id = $1 AND status = 'RUNNING'
     RETURNING id`,
    [id, reason],
  );
  return cancelled.length === 1;
}

/** The recovery finishes with its last delivery; the counts are then stored, since deliveries may change later. */
const FINISH = `
UPDATE agent_data_source_recovery r
   SET status = CASE r.status WHEN 'RUNNING' THEN 'DONE' ELSE r.status END, finished_at = now(),
       delivered = r.delivered + s.delivered, failed = r.failed + s.failed, cancelled = r.cancelled + s.cancelled
  FROM (${countStanding('$1')}) s
 WHERE r.id = $1 AND r.finished_at IS NULL AND s.waiting = 0
   AND (r.status = 'CANCELLED' OR r.redelivered >= r.total OR NOT EXISTS (${LEFT} 1))
RETURNING r.status, r.redelivered, r.delivered, r.failed, r.cancelled`;

/** The end of a recovery. */
export interface FinishedRecovery {
  readonly status: RecoveryStatus;
  readonly redelivered: number;
  readonly delivered: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** Finishes a recovery when nothing waits and nothing remains to be made due. @returns null while it continues */
export async function finishRecovery(transaction: Database, id: string): Promise<FinishedRecovery | null> {
  const [finished] = await transaction.query<FinishedRecovery>(FINISH, [id]);
  return finished ?? null;
}
