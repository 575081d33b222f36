import type { DataSink } from '../core/data-sink.js';
import type { RecoveryReason, RecoveryStatus } from '../core/recovery.js';
import { type Database, rows } from './database.js';
import { COUNT_ENDED, redeliver } from './redelivery.js';

/** A recovery with something left to do, and its sink as it stands now. */
export interface UnfinishedRecovery {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  /** Null when its row is gone. */
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
}

/**
 * The recoveries that have not finished, oldest first; at most one for each sink is running. Those of disabled sinks wait
 * with their deliveries.
 */
export async function findUnfinished(database: Database): Promise<UnfinishedRecovery[]> {
  const found = await rows<UnfinishedRow>(
    database,
    `SELECT r.id, r.workspace_id, r.agent_id, r.data_source_id, s.status AS sink_status, s.deleted_at
       FROM agent_data_source_recovery r
       LEFT JOIN agent_data_source s ON s.id = r.data_source_id
      WHERE r.finished_at IS NULL AND s.status IS DISTINCT FROM 'DISABLED'
      ORDER BY r.id`,
  );
  return found.map((row) => ({
    ...{ id: row.id, workspaceId: row.workspace_id, agentId: row.agent_id, dataSourceId: row.data_source_id },
    sink: row.sink_status && { status: row.sink_status, deletedAt: row.deleted_at },
  }));
}

/**
 * Takes a recovery in hand until the transaction ends, so that of several processes one makes its deliveries due.
 * @returns null when another process has it, or it has finished
 */
export async function lockUnfinished(transaction: Database, id: string): Promise<RecoveryStatus | null> {
  const [locked] = await rows<{ status: RecoveryStatus }>(
    transaction,
    `SELECT status FROM agent_data_source_recovery WHERE id = $1 AND finished_at IS NULL FOR UPDATE SKIP LOCKED`,
    [id],
  );
  return locked?.status ?? null;
}

/** How the deliveries are that belong to a recovery: they wait, or have ended and were not counted yet. */
export function countStanding(recoveryId: string): string {
  return `
    SELECT ${COUNT_ENDED}, count(*) FILTER (WHERE status IN ('PENDING', 'RETRYING', 'IN_FLIGHT'))::int AS waiting
      FROM agent_data_source_delivery WHERE recovery_id = ${recoveryId}`;
}

/** What a recovery has still to make due, those first that failed first: along the index on what failed. */
const LEFT = `
  SELECT f.id FROM agent_data_source_delivery f
   WHERE f.data_source_id = r.data_source_id AND f.status = 'FAILED'
     AND f.settled_at >= r.since AND f.settled_at < r.until
   ORDER BY f.settled_at LIMIT`;

const NEXT = `
SELECT d.id, r.workspace_id
  FROM agent_data_source_recovery r
  JOIN agent_data_source s ON s.id = r.data_source_id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
 CROSS JOIN LATERAL (
   SELECT count(*) AS n FROM agent_data_source_delivery w
    WHERE w.recovery_id = r.id AND w.status IN ('PENDING', 'RETRYING', 'IN_FLIGHT')) waiting
 CROSS JOIN LATERAL (${LEFT} greatest(least($2::int - waiting.n, r.total - r.redelivered), 0)) d
 WHERE r.id = $1 AND r.status = 'RUNNING'`;

/**
 * Makes the next deliveries of a recovery due, those first that failed first.
 * @param window how many of them may wait or be in flight at once
 * @returns how many were made due; none of a sink that is not active
 */
export async function redeliverNext(transaction: Database, id: string, window: number): Promise<number> {
  const next = await rows<{ id: string; workspace_id: string }>(transaction, NEXT, [id, window]);
  if (next.length === 0) return 0;
  const chosen = next.map((row) => ({ workspaceId: row.workspace_id, id: row.id, recoveryId: id }));
  const { length } = await redeliver(transaction, chosen, ['FAILED']);
  await transaction.query('UPDATE agent_data_source_recovery SET redelivered = redelivered + $2::int WHERE id = $1', [
    id,
    length,
  ]);
  return length;
}

/** Ends the making due. What was made due already goes its way. @returns false when it was not running (any more) */
export async function cancelRecovery(database: Database, id: string, reason: RecoveryReason): Promise<boolean> {
  const cancelled = await rows(
    database,
    `UPDATE agent_data_source_recovery SET status = 'CANCELLED', reason = $2 WHERE id = $1 AND status = 'RUNNING'
     RETURNING id`,
    [id, reason],
  );
  return cancelled.length === 1;
}

/** With its last delivery it has finished, and what became of them is written down: from then on they may change. */
const FINISH = `
UPDATE agent_data_source_recovery r
   SET status = CASE r.status WHEN 'RUNNING' THEN 'DONE' ELSE r.status END, finished_at = now(),
       delivered = r.delivered + s.delivered, failed = r.failed + s.failed, cancelled = r.cancelled + s.cancelled
  FROM (${countStanding('$1')}) s
 WHERE r.id = $1 AND r.finished_at IS NULL AND s.waiting = 0
   AND (r.status = 'CANCELLED' OR r.redelivered >= r.total OR NOT EXISTS (${LEFT} 1))
RETURNING r.status, r.redelivered, r.delivered, r.failed, r.cancelled`;

/** How a recovery ended. */
export interface FinishedRecovery {
  readonly status: RecoveryStatus;
  readonly redelivered: number;
  readonly delivered: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** Finishes a recovery when nothing of it waits and nothing is left to be made due. @returns null while it goes on */
export async function finishRecovery(transaction: Database, id: string): Promise<FinishedRecovery | null> {
  const [finished] = await rows<FinishedRecovery>(transaction, FINISH, [id]);
  return finished ?? null;
}

interface UnfinishedRow {
  id: string;
  workspace_id: string;
  agent_id: string;
  data_source_id: string;
  sink_status: DataSink['status'] | null;
  deleted_at: Date | null;
}
