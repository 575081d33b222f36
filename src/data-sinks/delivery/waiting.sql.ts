import { auditEnds } from '../database/audit/outbox-entries.js';
import type { Database } from '../database/database.js';
import type { EndedDelivery } from '../settlement/settled-deliveries.js';
import { type EndedRow, PUSH_COLUMNS, SINK_TYPE } from '../queue/push-row.js';

/** A delivery of a workspace. */
export interface DeliveryKey {
  readonly workspaceId: string;
  readonly id: string;
}

/**
 * The delivery `$2` of the workspace `$1`, while it waits. Compared as expressions, so that it is looked up by its id.
 * A claim that has it at the same moment is waited for, and the condition judged again: what was claimed is left alone.
 */
const WAITING = `d.workspace_id || '' = $1 AND d.id = $2 AND d.status || '' IN ('PENDING', 'RETRYING')`;

/**
 * Makes a waiting delivery due now. Of the retry that it waits for, nothing else changes: it was spent when it was
 * planned, and pace, caps, the circuit breaker and the gate are asked when it is claimed.
 * @returns false when it does not wait for a time: it is in flight, has ended, or waits for other parts
 */
export async function bringForward(database: Database, { workspaceId, id }: DeliveryKey): Promise<boolean> {
  const changed = await database.execute(
    `UPDATE agent_data_source_delivery d SET next_attempt_at = least(d.next_attempt_at, now()), updated_at = now()
      WHERE ${WAITING} AND coalesce(d.next_attempt_at, 'infinity') <> 'infinity'`,
    [workspaceId, id],
  );
  return changed === 1;
}

/**
 * Ends a waiting delivery, with its audit entry in the outbox.
 * @returns null when it does not wait: it is in flight, or has ended
 */
export async function cancelWaiting(
  database: Database,
  { workspaceId, id }: DeliveryKey,
): Promise<EndedDelivery | null> {
  const [row] = await database.query<EndedRow>(
    `WITH ended AS (
     UPDATE agent_data_source_delivery d
        SET status = 'CANCELLED', reason = 'requested', settled_at = now(), next_attempt_at = NULL, updated_at = now()
      WHERE ${WAITING}
     RETURNING ${PUSH_COLUMNS}, d.status, d.reason
     ),
     ${auditEnds('ended')}
     SELECT d.*, ${SINK_TYPE} FROM ended d`,
    [workspaceId, id],
  );
  return row
    ? {
        ...{ id: row.id, workspaceId: row.workspace_id, agentId: row.agent_id, dataSourceId: row.data_source_id },
        ...{ jobId: row.job_id, run: row.run, recipe: row.recipe },
        ...{ trigger: row.trigger, attemptCount: row.attempt_count },
        sink: row.sink_type === null ? null : { type: row.sink_type },
      }
    : null;
}
