import type { Database } from '../database/database.js';
import { dueOf, WAITING_ORDER } from '../database/index-orders.js';

/**
 * Reads one entry of one index. Only if the first delivery in line is held back (its sink is disabled, or paused and
 * the delivery is new) does it ask sink by sink: such a delivery may be overdue for days, and every poll would scan the
 * backlog behind it. Selecting the id makes the index by time the only one that fits.
 */
const NEXT_DUE = `
WITH first AS MATERIALIZED (
  SELECT d.next_attempt_at, s.status = 'DISABLED' OR (d.status = 'PENDING' AND s.status = 'ACTIVE' AND s.paused_until > now()) AS held
    FROM (SELECT w.next_attempt_at, w.status, w.data_source_id FROM agent_data_source_delivery w
           WHERE w.status IN ('PENDING', 'RETRYING') AND w.next_attempt_at IS NOT NULL AND w.id > '' ORDER BY w.next_attempt_at LIMIT 1) d
    -- A look-up by key: for a join, the planner might scan all sinks.
    LEFT JOIN LATERAL (
      SELECT a.status, a.paused_until FROM agent_data_source a WHERE a.id = d.data_source_id OFFSET 0) s ON true
)
SELECT ceil(extract(epoch FROM
  CASE WHEN (SELECT held FROM first) IS NOT TRUE THEN (SELECT next_attempt_at FROM first)
  ELSE (
    WITH RECURSIVE waiting (workspace_id, data_source_id) AS (
      (SELECT d.workspace_id, d.data_source_id FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') ${WAITING_ORDER} LIMIT 1)
      UNION ALL
      SELECT next.* FROM waiting w
       CROSS JOIN LATERAL (
         SELECT d.workspace_id, d.data_source_id FROM agent_data_source_delivery d
          WHERE d.status IN ('PENDING', 'RETRYING')
            AND (d.workspace_id, d.data_source_id) > (w.workspace_id, w.data_source_id) ${WAITING_ORDER} LIMIT 1) next
    )
    SELECT min(least(
      (SELECT greatest(d.next_attempt_at, s.paused_until) FROM agent_data_source_delivery d
        WHERE ${dueOf('w.workspace_id', 'w.data_source_id', 'PENDING', `'infinity'`)} LIMIT 1),
      (SELECT d.next_attempt_at FROM agent_data_source_delivery d
        WHERE ${dueOf('w.workspace_id', 'w.data_source_id', 'RETRYING', `'infinity'`)} LIMIT 1)))
      FROM waiting w
      LEFT JOIN LATERAL (
        SELECT a.status, CASE WHEN a.status = 'ACTIVE' THEN a.paused_until END AS paused_until
          FROM agent_data_source a WHERE a.id = w.data_source_id) s ON true
     WHERE s.status IS DISTINCT FROM 'DISABLED'
  ) END - now()) * 1000)::float8 AS ms`;

async function dueInMs(database: Database): Promise<number | null> {
  const [next] = await database.prepared<{ ms: number | null }>(NEXT_DUE);
  return next?.ms ?? null;
}

/**
 * Milliseconds until the next sendable delivery is due; 0 when one is due now, null when none waits. Deliveries of
 * disabled sinks are never due; new deliveries of a paused sink are due when the pause ends.
 */
export async function nextDueInMs(database: Database): Promise<number | null> {
  const ms = await dueInMs(database);
  return ms === null ? null : Math.max(ms, 0);
}

/** How long the oldest sendable delivery has been due, in milliseconds; 0 when none is due. */
export async function oldestDueAgeMs(database: Database): Promise<number> {
  return Math.max(-((await dueInMs(database)) ?? 0), 0);
}
