import type { SettledStatus } from '../domain/delivery.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { INCOMPLETE } from '../settlement/delivery-parts.sql.js';

/** A settled delivery to be redelivered. */
export interface Redelivery {
  readonly workspaceId: string;
  readonly id: string;
  /** The recovery that redelivers it; null for a manual redelivery. */
  readonly recoveryId: string | null;
}

/** Number of deliveries by how they ended. */
export const COUNT_ENDED = `
  count(*) FILTER (WHERE status = 'DELIVERED')::int AS delivered,
  count(*) FILTER (WHERE status = 'FAILED')::int AS failed,
  count(*) FILTER (WHERE status = 'CANCELLED')::int AS cancelled`;

const REDELIVERY = new BatchColumns<Redelivery>({
  workspace_id: ['text', (r) => r.workspaceId],
  id: ['text', (r) => r.id],
  recovery_id: ['text', (r) => r.recoveryId],
});

/**
 * Skips locked deliveries: someone else is redelivering them. A delivery that leaves an unfinished recovery is counted
 * there as it ended. That recovery is locked before any delivery, in the same order as the pacer does; the other order
 * could deadlock over the last part of a push. A last part that failed because of a part that is redelivered waits
 * again.
 *
 * Status is compared as an expression, as in a claim: the rows are looked up by id, whatever the planner's estimates.
 *
 * The deliveries count as tried: new deliveries come first, and a pause of the sink does not hold them back.
 */
const REDELIVER = `
WITH asked AS (
  SELECT * FROM ${REDELIVERY.unnest('r')}
),
settled AS MATERIALIZED (
  SELECT d.recovery_id FROM asked r
    JOIN agent_data_source_delivery d ON d.id = r.id AND d.workspace_id = r.workspace_id
   WHERE d.status || '' = ANY ($4)
),
held AS (
  SELECT v.id FROM agent_data_source_recovery v
   WHERE v.finished_at IS NULL AND v.id IN (SELECT recovery_id FROM settled)
   ORDER BY v.id FOR UPDATE OF v
),
chosen AS (
  SELECT d.id, d.status, d.recovery_id AS left_id, r.recovery_id, d.workspace_id, d.data_source_id, d.job_id,
         d.run, d.part, d.part_count
    FROM asked r
    JOIN agent_data_source_delivery d ON d.id = r.id AND d.workspace_id = r.workspace_id
   WHERE d.status || '' = ANY ($4) AND (SELECT count(*) FROM held) >= 0
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
   WHERE c.part < c.part_count AND d.workspace_id = c.workspace_id AND d.data_source_id = c.data_source_id
     AND d.job_id = c.job_id AND d.run = c.run AND d.part = c.part_count AND ${INCOMPLETE}
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
 * Makes settled deliveries due again for one attempt without retries: same bytes, same id, attempt numbers continue.
 * Every redelivery goes through here.
 * @param from allowed current statuses
 * @returns the ids of those made due; the others had another status
 */
export async function redeliver(
  database: Database,
  redeliveries: readonly Redelivery[],
  from: readonly SettledStatus[],
): Promise<string[]> {
  const made = await database.query<{ id: string }>(REDELIVER, [...REDELIVERY.valuesOf(redeliveries), from]);
  return made.map(({ id }) => id);
}
