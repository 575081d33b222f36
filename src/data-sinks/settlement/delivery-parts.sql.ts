import type { JobKey } from '../domain/job-completed.js';
import type { DeliveryReason } from '../domain/delivery.js';
import { auditEnds } from '../database/audit/outbox-entries.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { type EndedPush, type EndedRow, PUSH_COLUMNS, SINK_TYPE, toEndedPush } from '../queue/push-row.js';

/** The parts of one job for one sink. */
export interface PartsKey extends JobKey {
  readonly dataSourceId: string;
  /** Number of parts. */
  readonly of: number;
}

/** The last part, blocked until its siblings are delivered. */
const WAITS = `d.part > 1 AND d.part = d.part_count AND d.status IN ('PENDING', 'RETRYING') AND d.next_attempt_at IS NULL`;

/**
 * The same for rows looked up by key. Plain comparisons of status and time would match the indexes of waiting
 * deliveries, and the planner, which does not know how few keys there are, might scan a backlog.
 */
const WAITS_TOO = `
d.part > 1 AND d.part = d.part_count AND d.status || '' IN ('PENDING', 'RETRYING')
AND coalesce(d.next_attempt_at, 'infinity') = 'infinity'`;

/** Failed because of the other parts; also looked up by key. */
export const INCOMPLETE = `d.status || '/' || d.reason = 'FAILED/parts_incomplete'`;

const OTHERS = `
agent_data_source_delivery o
 WHERE o.workspace_id = d.workspace_id AND o.data_source_id = d.data_source_id AND o.job_id = d.job_id AND o.run = d.run
   AND o.part < d.part`;

/** Closes the CTE `ended`: what ended is audited, and answered. */
const ENDED = `${PUSH_COLUMNS}, d.status, d.reason
),
${auditEnds('ended')}
SELECT d.*, ${SINK_TYPE} FROM ended d`;

const KEY = new BatchColumns<PartsKey>({
  workspace_id: ['text', (p) => p.workspaceId],
  data_source_id: ['text', (p) => p.dataSourceId],
  job_id: ['text', (p) => p.jobId],
  run: ['int', (p) => p.run],
  part_count: ['int', (p) => p.of],
});
const KEYS = `SELECT DISTINCT * FROM ${KEY.unnest('k')}`;

/**
 * Searches backwards from the last part, in index order: parts are sent in order, so a missing one is found quickly.
 */
const MISSING = `(SELECT o.id FROM ${OTHERS} AND o.status || '' <> 'DELIVERED' ORDER BY o.part DESC LIMIT 1)`;
const UNDELIVERED = `(SELECT o.id FROM ${OTHERS} AND o.status IN ('FAILED', 'CANCELLED') LIMIT 1)`;

/**
 * Makes the last part due where all others are delivered. One that had failed because of them is redelivered, since
 * someone redelivered the missing part.
 * @returns how many
 */
export async function releaseLastParts(database: Database, pushes: readonly PartsKey[]): Promise<number> {
  const released = await database.query(
    `UPDATE agent_data_source_delivery d
        SET status = CASE WHEN d.status = 'FAILED' THEN 'PENDING' ELSE d.status END,
            trigger = CASE WHEN d.status = 'FAILED' THEN 'REDELIVERY' ELSE d.trigger END,
            next_attempt_at = now(), reason = NULL, settled_at = NULL, updated_at = now()
       FROM (${KEYS}) k
      WHERE d.workspace_id = k.workspace_id AND d.data_source_id = k.data_source_id AND d.job_id = k.job_id
        AND d.run = k.run AND d.part = k.part_count
        AND (${WAITS_TOO} OR ${INCOMPLETE})
        AND ${MISSING} IS NULL
     RETURNING d.id`,
    KEY.valuesOf(pushes),
  );
  return released.length;
}

/**
 * Fails the last part where one of the others has ended without being delivered.
 * @param endedIds deliveries that may have ended like this
 */
export async function failLastParts(database: Database, endedIds: readonly string[]): Promise<EndedPush[]> {
  const failed = await database.query<EndedRow>(
    `WITH ended AS (
     UPDATE agent_data_source_delivery d
        SET status = 'FAILED', reason = 'parts_incomplete', settled_at = now(), updated_at = now()
       FROM agent_data_source_delivery o
      WHERE o.id = ANY ($1) AND o.status IN ('FAILED', 'CANCELLED') AND o.part < o.part_count
        AND d.workspace_id = o.workspace_id AND d.data_source_id = o.data_source_id AND d.job_id = o.job_id
        AND d.run = o.run AND d.part = o.part_count
        AND ${WAITS_TOO}
     RETURNING ${ENDED}`,
    [endedIds],
  );
  return failed.map(toEndedPush);
}

/**
 * Fails waiting parts without a body when the job's parts cannot be built; the last part fails because of the others.
 * Parts with stored bodies can be sent: the one that cannot be built may have been sent before and lost its body.
 * `failLastParts` handles the last of these.
 */
export async function endWaitingParts(
  database: Database,
  pushes: readonly PartsKey[],
  reason: DeliveryReason,
): Promise<EndedPush[]> {
  const ended = await database.query<EndedRow>(
    `WITH ended AS (
     UPDATE agent_data_source_delivery d
        SET status = 'FAILED', reason = CASE WHEN d.part = d.part_count THEN 'parts_incomplete' ELSE $6 END,
            next_attempt_at = NULL, settled_at = now(), updated_at = now()
       FROM (${KEYS}) k
      WHERE d.workspace_id = k.workspace_id AND d.data_source_id = k.data_source_id AND d.job_id = k.job_id
        AND d.run = k.run AND d.status || '' IN ('PENDING', 'RETRYING')
        AND NOT EXISTS (
          SELECT FROM agent_data_source_payload p
           WHERE p.workspace_id = d.workspace_id AND p.job_id = d.job_id AND p.run = d.run AND p.format = d.recipe
             AND p.ready)
     RETURNING ${ENDED}`,
    [...KEY.valuesOf(pushes), reason],
  );
  return ended.map(toEndedPush);
}

/** State of the other parts for last part `d`: delivered, under way, or one ended undelivered. */
export async function othersOf(
  database: Database,
  { workspaceId, id }: { readonly workspaceId: string; readonly id: string },
): Promise<'delivered' | 'under_way' | 'undelivered'> {
  const [found] = await database.query<{ missing: string | null; undelivered: string | null }>(
    `SELECT ${MISSING} AS missing, ${UNDELIVERED} AS undelivered FROM agent_data_source_delivery d
      WHERE d.id = $1 AND d.workspace_id || '' = $2`,
    [id, workspaceId],
  );
  if (!found || found.missing === null) return 'delivered';
  return found.undelivered === null ? 'under_way' : 'undelivered';
}

/** A waiting last part that no longer needs to wait. */
export interface WaitingLastPart extends PartsKey {
  readonly id: string;
  /** Null when all others are delivered. */
  readonly missingId: string | null;
  /** Null when none of the others has ended undelivered. */
  readonly undeliveredId: string | null;
}

/** A page of waiting last parts, ordered by id. */
export async function listWaitingLastParts(
  database: Database,
  afterId: string,
  limit: number,
): Promise<WaitingLastPart[]> {
  return database.query<WaitingLastPart>(
    `SELECT d.id, d.workspace_id AS "workspaceId", d.data_source_id AS "dataSourceId", d.job_id AS "jobId", d.run,
            d.part_count AS "of", ${MISSING} AS "missingId", ${UNDELIVERED} AS "undeliveredId"
       FROM agent_data_source_delivery d WHERE ${WAITS} AND d.id > $1 ORDER BY d.id LIMIT $2`,
    [afterId, limit],
  );
}
