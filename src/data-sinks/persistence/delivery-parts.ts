import type { DataSinkPushEvent } from '../core/domain-events.js';
import type { JobKey } from '../core/job-completed.js';
import type { DeliveryReason } from '../core/delivery.js';
import { columns, type Database, rows } from './database.js';
import { PUSH_COLUMNS, type PushRow, toPush } from './push-row.js';

/** The parts of one job on their way to one sink. */
export interface PartsKey extends JobKey {
  readonly dataSourceId: string;
  /** How many they are. */
  readonly of: number;
}

/** Not due before the others make it so. */
const WAITS = `d.part > 1 AND d.part = d.part_count AND d.status IN ('PENDING', 'RETRYING') AND d.next_attempt_at IS NULL`;

/**
 * The same for rows that are looked up by their key. Compared as they are, status and time would fit the indexes of all
 * that waits, and the planner, who cannot know how few the keys are, would read a backlog through.
 */
const WAITS_TOO = `
d.part > 1 AND d.part = d.part_count AND d.status || '' IN ('PENDING', 'RETRYING')
AND coalesce(d.next_attempt_at, 'infinity') = 'infinity'`;

/** Failed for want of the others; looked up by its key likewise. */
export const INCOMPLETE = `d.status || '/' || d.reason = 'FAILED/parts_incomplete'`;

const OTHERS = `
agent_data_source_delivery o
 WHERE o.data_source_id = d.data_source_id AND o.job_id = d.job_id AND o.run = d.run AND o.part < d.part`;

const KEYS = `
SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]) AS k (data_source_id, job_id, run, part_count)`;

/** Looked for from the last one backwards, in the index's order: parts leave in theirs, so what is missing is soon found. */
const MISSING = `(SELECT o.id FROM ${OTHERS} AND o.status || '' <> 'DELIVERED' ORDER BY o.part DESC LIMIT 1)`;
const UNDELIVERED = `(SELECT o.id FROM ${OTHERS} AND o.status IN ('FAILED', 'CANCELLED') LIMIT 1)`;

/**
 * Makes the last part due where all others are delivered. One that had failed for want of them is sent as a redelivery:
 * somebody asked for what was missing.
 * @returns how many
 */
export async function releaseLastParts(database: Database, pushes: readonly PartsKey[]): Promise<number> {
  const released = await rows(
    database,
    `UPDATE agent_data_source_delivery d
        SET status = CASE WHEN d.status = 'FAILED' THEN 'PENDING' ELSE d.status END,
            trigger = CASE WHEN d.status = 'FAILED' THEN 'REDELIVERY' ELSE d.trigger END,
            next_attempt_at = now(), reason = NULL, settled_at = NULL, updated_at = now()
       FROM (${KEYS}) k
      WHERE d.data_source_id = k.data_source_id AND d.job_id = k.job_id AND d.run = k.run AND d.part = k.part_count
        AND (${WAITS_TOO} OR ${INCOMPLETE})
        AND ${MISSING} IS NULL
     RETURNING d.id`,
    keyColumns(pushes),
  );
  return released.length;
}

/**
 * Ends the last part where one of the others has ended without being delivered.
 * @param endedIds deliveries that may have ended so
 */
export async function failLastParts(database: Database, endedIds: readonly string[]): Promise<DataSinkPushEvent[]> {
  const failed = await rows<PushRow>(
    database,
    `UPDATE agent_data_source_delivery d
        SET status = 'FAILED', reason = 'parts_incomplete', settled_at = now(), updated_at = now()
       FROM agent_data_source_delivery o
      WHERE o.id = ANY ($1) AND o.status IN ('FAILED', 'CANCELLED') AND o.part < o.part_count
        AND d.data_source_id = o.data_source_id AND d.job_id = o.job_id AND d.run = o.run AND d.part = o.part_count
        AND ${WAITS_TOO}
     RETURNING ${PUSH_COLUMNS}`,
    [endedIds],
  );
  return failed.map(toPush);
}

/**
 * Ends the parts that wait and have no body, of pushes of which no part can be made. The last one waits for the others,
 * and says so. Those whose bodies are stored can be sent: what cannot be made may be one that was sent before and lost its
 * own. Of these the last one is left to `failLastParts`.
 */
export async function endWaitingParts(
  database: Database,
  pushes: readonly PartsKey[],
  reason: DeliveryReason,
): Promise<DataSinkPushEvent[]> {
  const ended = await rows<PushRow>(
    database,
    `UPDATE agent_data_source_delivery d
        SET status = 'FAILED', reason = CASE WHEN d.part = d.part_count THEN 'parts_incomplete' ELSE $5 END,
            next_attempt_at = NULL, settled_at = now(), updated_at = now()
       FROM (${KEYS}) k
      WHERE d.data_source_id = k.data_source_id AND d.job_id = k.job_id AND d.run = k.run
        AND d.status || '' IN ('PENDING', 'RETRYING')
        AND NOT EXISTS (
          SELECT FROM agent_data_source_payload p
           WHERE p.job_id = d.job_id AND p.run = d.run AND p.format = d.recipe AND p.ready)
     RETURNING ${PUSH_COLUMNS}`,
    [...keyColumns(pushes), reason],
  );
  return ended.map(toPush);
}

/** Whether the last part `d` may go: the others are delivered, still under way, or one of them has ended undelivered. */
export async function othersOf(
  database: Database,
  deliveryId: string,
): Promise<'delivered' | 'under_way' | 'undelivered'> {
  const [found] = await rows<{ missing: string | null; undelivered: string | null }>(
    database,
    `SELECT ${MISSING} AS missing, ${UNDELIVERED} AS undelivered FROM agent_data_source_delivery d WHERE d.id = $1`,
    [deliveryId],
  );
  if (!found || found.missing === null) return 'delivered';
  return found.undelivered === null ? 'under_way' : 'undelivered';
}

/** A last part that waits, and what of the others says that it need not. */
export interface WaitingLastPart extends PartsKey {
  readonly id: string;
  /** Null when the others are all delivered. */
  readonly missingId: string | null;
  /** Null when none of the others has ended undelivered. */
  readonly undeliveredId: string | null;
}

/** Some of the last parts that wait, in the order of their ids. */
export async function listWaitingLastParts(
  database: Database,
  afterId: string,
  limit: number,
): Promise<WaitingLastPart[]> {
  const found = await rows<WaitingRow>(
    database,
    `SELECT d.id, d.data_source_id, d.job_id, d.run, d.part_count, ${MISSING} AS missing, ${UNDELIVERED} AS undelivered
       FROM agent_data_source_delivery d WHERE ${WAITS} AND d.id > $1 ORDER BY d.id LIMIT $2`,
    [afterId, limit],
  );
  return found.map((row) => ({
    ...{ id: row.id, dataSourceId: row.data_source_id, jobId: row.job_id, run: row.run, of: row.part_count },
    ...{ missingId: row.missing, undeliveredId: row.undelivered },
  }));
}

interface WaitingRow {
  id: string;
  data_source_id: string;
  job_id: string;
  run: number;
  part_count: number;
  missing: string | null;
  undelivered: string | null;
}

function keyColumns(pushes: readonly PartsKey[]): unknown[][] {
  return columns(
    pushes,
    (p) => p.dataSourceId,
    (p) => p.jobId,
    (p) => p.run,
    (p) => p.of,
  );
}
