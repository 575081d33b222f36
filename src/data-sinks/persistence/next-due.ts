import { type Database, rows } from './database.js';

/**
 * One look at one index. Only when the first delivery in line is held back (its sink is disabled, or paused and it has
 * not been tried), it is asked sink by sink: it may be overdue for days, and a backlog behind such a sink must not be
 * read through at every poll.
 */
const NEXT_DUE = `
WITH first AS MATERIALIZED (
  SELECT d.next_attempt_at, s.status = 'DISABLED' OR (d.status = 'PENDING' AND s.status = 'ACTIVE' AND s.paused_until > now()) AS held
    FROM agent_data_source_delivery d LEFT JOIN agent_data_source s ON s.id = d.data_source_id
   WHERE d.status IN ('PENDING', 'RETRYING') ORDER BY d.next_attempt_at LIMIT 1
)
SELECT ceil(extract(epoch FROM
  CASE WHEN (SELECT held FROM first) IS NOT TRUE THEN (SELECT next_attempt_at FROM first)
  ELSE (
    WITH RECURSIVE waiting (data_source_id) AS (
      (SELECT data_source_id FROM agent_data_source_delivery
        WHERE status IN ('PENDING', 'RETRYING') ORDER BY data_source_id LIMIT 1)
      UNION ALL
      SELECT (SELECT d.data_source_id FROM agent_data_source_delivery d
               WHERE d.status IN ('PENDING', 'RETRYING') AND d.data_source_id > w.data_source_id
               ORDER BY d.data_source_id LIMIT 1)
        FROM waiting w WHERE w.data_source_id IS NOT NULL
    )
    SELECT min(least(
      (SELECT min(greatest(d.next_attempt_at, s.paused_until)) FROM (
         SELECT p.next_attempt_at FROM agent_data_source_delivery p
          WHERE p.data_source_id = w.data_source_id AND p.status = 'PENDING' AND p.next_attempt_at IS NOT NULL ORDER BY p.next_attempt_at LIMIT 1) d),
      (SELECT min(d.next_attempt_at) FROM agent_data_source_delivery d
        WHERE d.data_source_id = w.data_source_id AND d.status = 'RETRYING')))
      FROM waiting w
      LEFT JOIN LATERAL (
        SELECT a.status, CASE WHEN a.status = 'ACTIVE' THEN a.paused_until END AS paused_until
          FROM agent_data_source a WHERE a.id = w.data_source_id) s ON true
     WHERE w.data_source_id IS NOT NULL AND s.status IS DISTINCT FROM 'DISABLED'
  ) END - now()) * 1000)::float8 AS ms`;

async function dueInMs(database: Database): Promise<number | null> {
  const [next] = await rows<{ ms: number | null }>(database, NEXT_DUE);
  return next?.ms ?? null;
}

/**
 * Milliseconds until the next delivery is due that may be sent, 0 when one is due now, null when none waits. What waits
 * for a disabled sink is not due; what waits for a paused one is when its pause ends.
 */
export async function nextDueInMs(database: Database): Promise<number | null> {
  const ms = await dueInMs(database);
  return ms === null ? null : Math.max(ms, 0);
}

/** For how long the oldest delivery has been due that may be sent, in milliseconds; 0 when none is due. */
export async function oldestDueAgeMs(database: Database): Promise<number> {
  return Math.max(-((await dueInMs(database)) ?? 0), 0);
}
