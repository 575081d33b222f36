import type { SettledStatus } from '../core/delivery.js';
import { columns, type Database, rows } from './database.js';
import { INCOMPLETE } from './delivery-parts.js';

/** A settled delivery that is to be tried once more. */
export interface Redelivery {
  readonly workspaceId: string;
  readonly id: string;
  /** The recovery that it belongs to; null when it was asked for by itself. */
  readonly recoveryId: string | null;
}

/** How many of some deliveries have ended in which way. */
export const COUNT_ENDED = `
  count(*) FILTER (WHERE status = 'DELIVERED')::int AS delivered,
  count(*) FILTER (WHERE status = 'FAILED')::int AS failed,
  count(*) FILTER (WHERE status = 'CANCELLED')::int AS cancelled`;

/**
 * Nobody waits for a chosen delivery here: one that is locked is being redelivered by somebody else at this moment. One
 * that leaves a recovery which has not finished is counted there as it ended; that recovery is locked before any delivery,
 * as by whoever paces it: in the other order the two would wait for each other over the last part of a push. The last part
 * of a push that had failed for want of one that is sent again waits for it once more.
 *
 * Each counts as one that has been tried: it comes behind fresh deliveries, and a pause of its sink does not hold it back.
 */
const REDELIVER = `
WITH asked AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS r (workspace_id, id, recovery_id)
),
held AS (
  SELECT v.id FROM agent_data_source_recovery v
   WHERE v.finished_at IS NULL AND v.id IN (
           SELECT d.recovery_id FROM asked r
             JOIN agent_data_source_delivery d ON d.id = r.id AND d.workspace_id = r.workspace_id
            WHERE d.status = ANY ($4))
   ORDER BY v.id FOR UPDATE OF v
),
chosen AS (
  SELECT d.id, d.status, d.recovery_id AS left_id, r.recovery_id, d.data_source_id, d.job_id, d.run, d.part,
         d.part_count
    FROM asked r
    JOIN agent_data_source_delivery d ON d.id = r.id AND d.workspace_id = r.workspace_id
   WHERE d.status = ANY ($4) AND (SELECT count(*) FROM held) >= 0
     FOR UPDATE OF d SKIP LOCKED
),
counted AS (
  UPDATE agent_data_source_recovery r
     SET delivered = r.delivered + c.delivered, failed = r.failed + c.failed, cancelled = r.cancelled + c.cancelled
    FROM (SELECT left_id, ${COUNT_ENDED} FROM chosen GROUP BY left_id) c
   WHERE r.id = c.left_id AND r.finished_at IS NULL
),
waiting AS (
  UPDATE agent_data_source_delivery d
     SET trigger = 'REDELIVERY', status = 'PENDING', reason = NULL, settled_at = NULL, updated_at = now()
    FROM chosen c
   WHERE c.part < c.part_count AND d.data_source_id = c.data_source_id AND d.job_id = c.job_id
     AND d.run = c.run AND d.part = c.part_count AND ${INCOMPLETE}
     AND d.id NOT IN (SELECT id FROM chosen)
)
UPDATE agent_data_source_delivery d
   SET trigger = 'REDELIVERY', status = 'RETRYING',
       reason = NULL, next_attempt_at = now(), settled_at = NULL,
       retries_allowed = 0, retries_spent = 0, own_failures = 0, abandoned = 0, recovery_id = c.recovery_id,
       updated_at = now()
  FROM chosen c WHERE d.id = c.id
RETURNING d.id`;

/**
 * Makes settled deliveries due once more, with no retries: one more try each, of the same bytes under the same id, and
 * the attempts are counted on. The one place where this happens.
 * @param from the statuses that they may be in
 * @returns the ids of those that were made due; the others were in none of them (any more)
 */
export async function redeliver(
  database: Database,
  redeliveries: readonly Redelivery[],
  from: readonly SettledStatus[],
): Promise<string[]> {
  const made = await rows<{ id: string }>(database, REDELIVER, [
    ...columns(
      redeliveries,
      (r) => r.workspaceId,
      (r) => r.id,
      (r) => r.recoveryId,
    ),
    from,
  ]);
  return made.map(({ id }) => id);
}
