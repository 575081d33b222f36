/** Sinks that wait for a later time, are full or paused are passed by; a claim that meets only such ones ends here. */
const MOST_STEPS = 500;

/**
 * Sinks have turns: a claim goes from sink to sink along the index of what waits, beginning behind the last one that was
 * visited, so that its cost depends neither on how many deliveries wait nor on how many sinks do. A sink has a turn when
 * it is not disabled, has room under its cap and something due. While a sink is paused its fresh deliveries wait, so
 * that none of their retries is spent on a receiver that is down; retries keep to the waits that customers are promised,
 * and find out whether it is up again. When the pause is over, fresh ones go one at a time until one is answered.
 *
 * Those visited offer fresh deliveries before retries, but for one place that is kept for the retry that has waited
 * longest; twice their share each, and the batch is filled in rounds:
 * everybody's first, then everybody's second, within what the cap of the workspace and the sink's own rate leave.
 * A rate is kept as the time from which an allowance has been adding up; its row is locked, so that two workers never
 * spend the same.
 *
 * The chosen rows are looked up by their ids and checked once more under their locks. Their status is compared as an
 * expression there: compared as it is, it would fit the index of all that waits, and the planner, who cannot know how
 * few the ids are, would read a backlog of a million through. Whether they are due is checked once more too: another
 * worker may have tried one meanwhile, and planned its retry.
 */
export const CLAIM = `
WITH RECURSIVE turn (step, sink, wrapped, found, workspace_id, room, fresh_room, is_full, fresh, late, rate) AS (
  SELECT 0, $4::text, false, 0, NULL::text, 0, 0, false, false, false, NULL::float8
  UNION ALL
  SELECT t.step + 1, next.sink, t.wrapped OR next.sink <= t.sink, t.found + (has.room > 0)::int,
         next.workspace_id, has.room, has.fresh_room,
         has.room = 0 AND f.sending IS NOT NULL OR next.workspace_id = ANY ($7::text[]), due.fresh, due.late, s.rate
    FROM turn t
    CROSS JOIN LATERAL (
      (SELECT d.data_source_id AS sink, d.workspace_id FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') AND d.data_source_id > t.sink ORDER BY d.data_source_id LIMIT 1)
      UNION ALL
      (SELECT d.data_source_id, d.workspace_id FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') AND NOT t.wrapped ORDER BY d.data_source_id LIMIT 1)
      LIMIT 1) next
    LEFT JOIN LATERAL (
      SELECT a.status, CASE WHEN a.status = 'ACTIVE' THEN a.paused_until END AS paused_until,
             (a.config->>'maxPushesPerSecond')::float8 AS rate
        FROM agent_data_source a WHERE a.id = next.sink) s ON true
    CROSS JOIN LATERAL (
      SELECT next.workspace_id <> ALL ($7::text[]) AND s.status IS DISTINCT FROM 'DISABLED'
             AND (s.paused_until > now()) IS NOT TRUE AND EXISTS (
               SELECT FROM agent_data_source_delivery d
                WHERE d.data_source_id = next.sink AND d.status = 'PENDING' AND d.next_attempt_at <= now()) AS fresh,
             next.workspace_id <> ALL ($7::text[]) AND s.status IS DISTINCT FROM 'DISABLED' AND EXISTS (
               SELECT FROM agent_data_source_delivery d
                WHERE d.data_source_id = next.sink AND d.status = 'RETRYING' AND d.next_attempt_at <= now()) AS late
      -- Worked out once, not wherever it is named.
      OFFSET 0) due
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS sending FROM agent_data_source_delivery f
       WHERE f.workspace_id = next.workspace_id AND f.data_source_id = next.sink AND f.status = 'IN_FLIGHT') f
      ON due.fresh OR due.late
    CROSS JOIN LATERAL (
      SELECT CASE WHEN due.fresh THEN greatest(CASE WHEN s.paused_until IS NULL THEN $2::int ELSE 1 END - f.sending, 0)
                  ELSE 0 END AS fresh_room,
             CASE WHEN due.late THEN greatest($2::int - f.sending, 0) ELSE 0 END AS late_room
    ) r
    CROSS JOIN LATERAL (SELECT r.fresh_room, greatest(r.fresh_room, r.late_room) AS room) has
   WHERE t.step < ${MOST_STEPS} AND t.found < $5::int
     AND NOT ((t.wrapped OR next.sink <= t.sink) AND next.sink > $4)
),
visited AS MATERIALIZED (
  SELECT *, ceil(2.0 * $1::int / count(*) OVER ())::int AS share FROM turn WHERE room > 0
),
offered AS MATERIALIZED (
  SELECT v.sink, v.workspace_id, v.room, v.fresh, v.fresh_room, v.rate, v.share, o.*
    FROM visited v
    CROSS JOIN LATERAL (
      SELECT next.id, next.next_attempt_at, next.late, row_number() OVER (ORDER BY next.late, next.next_attempt_at) AS round
        FROM (
          (SELECT id, next_attempt_at, 0 AS late FROM agent_data_source_delivery
            WHERE data_source_id = v.sink AND status = 'PENDING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT least(v.fresh_room, least(v.room, v.share) - (v.late AND v.room > 1 AND v.share > 1)::int))
          UNION ALL
          (SELECT id, next_attempt_at, 1 AS late FROM agent_data_source_delivery
            WHERE data_source_id = v.sink AND status = 'RETRYING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT least(v.room, v.share))
          ORDER BY late, next_attempt_at LIMIT least(v.room, v.share)
        ) next) o
),
paced AS MATERIALIZED (
  SELECT a.id, pace.from_time,
         floor(extract(epoch FROM now() - pace.from_time) * (a.config->>'maxPushesPerSecond')::float8 + 1e-6) AS allowance
    FROM agent_data_source a
    CROSS JOIN LATERAL (
      SELECT greatest(a.paced_from, now() - interval '1 second' *
               greatest(1, 1 / (a.config->>'maxPushesPerSecond')::float8)) AS from_time) pace
   WHERE a.id = ANY (ARRAY(SELECT sink FROM visited WHERE rate IS NOT NULL))
   ORDER BY a.id FOR UPDATE OF a SKIP LOCKED
),
ranked AS (
  SELECT o.*, row_number() OVER (PARTITION BY o.workspace_id ORDER BY o.round, o.next_attempt_at) AS of_workspace
    FROM offered o
   WHERE o.rate IS NULL OR o.round <= (SELECT p.allowance FROM paced p WHERE p.id = o.sink)
),
workspace AS MATERIALIZED (
  SELECT w.workspace_id, $6::int - (
           SELECT count(*) FROM agent_data_source_delivery f
            WHERE f.workspace_id = w.workspace_id AND f.status = 'IN_FLIGHT') AS room
    FROM (SELECT DISTINCT workspace_id FROM visited) w
),
due AS MATERIALIZED (
  SELECT r.id, r.sink, r.room, r.fresh, r.fresh_room, r.late FROM ranked r JOIN workspace w ON w.workspace_id = r.workspace_id
   WHERE r.of_workspace <= w.room ORDER BY r.round, r.next_attempt_at LIMIT $1::int
),
picked AS (
  SELECT d.id FROM agent_data_source_delivery d
   WHERE d.id = ANY (ARRAY(SELECT id FROM due)) AND d.status || '' IN ('PENDING', 'RETRYING')
     AND d.next_attempt_at <= now()
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE agent_data_source_delivery d
     SET status = 'IN_FLIGHT', next_attempt_at = NULL, updated_at = now(),
         lease_token = gen_random_uuid(), lease_expires_at = now() + $3::int * interval '1 millisecond'
    FROM picked WHERE d.id = picked.id
  RETURNING d.id, d.workspace_id, d.agent_id, d.data_source_id, d.job_id, d.run, d.recipe, d.trigger, d.attempt_count,
            d.retries_allowed, d.retries_spent, d.own_failures, d.lease_token
),
spent AS (
  UPDATE agent_data_source a
     SET paced_from = p.from_time + interval '1 second' * (c.taken / (a.config->>'maxPushesPerSecond')::float8)
    FROM paced p JOIN (SELECT data_source_id, count(*) AS taken FROM claimed GROUP BY data_source_id) c
      ON c.data_source_id = p.id
   WHERE a.id = p.id
)
SELECT went.*, c.*
  FROM claimed c
  FULL JOIN (
    SELECT (SELECT sink FROM turn ORDER BY step DESC LIMIT 1) AS last_sink,
           (SELECT max(step) < ${MOST_STEPS} AND max(found) < $5::int FROM turn)
           AND (SELECT count(*) FROM offered) <= $1::int
           AND NOT EXISTS (SELECT FROM offered WHERE share < room AND round = share) AS exhausted,
           (SELECT count(*) FROM due) < least((SELECT count(*) FROM ranked), $1::int)
           OR EXISTS (SELECT FROM due GROUP BY sink
                       HAVING count(*) >= max(room)
                           OR bool_or(fresh) AND count(*) FILTER (WHERE late = 0) >= max(fresh_room))
           OR EXISTS (SELECT FROM turn WHERE is_full) AS capped,
           ARRAY(SELECT w.workspace_id FROM workspace w
                  WHERE w.room <= (SELECT count(*) FROM due d JOIN visited v ON v.sink = d.sink
                                    WHERE v.workspace_id = w.workspace_id)) AS full_workspaces,
           (SELECT 1000 / max(o.rate) FROM offered o JOIN paced p ON p.id = o.sink WHERE o.round > p.allowance) AS paced_ms,
           (SELECT json_agg(s) FROM (
             SELECT s.id, s.config, s.config_version, s.status, s.secret_id, s.failures_in_row,
                    extract(epoch FROM s.deleted_at) * 1000 AS deleted_ms,
                    extract(epoch FROM s.previous_secret_expires_at) * 1000 AS previous_secret_expires_ms,
                    CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret_id END AS previous_secret_id
               FROM agent_data_source s WHERE s.id = ANY (ARRAY(SELECT data_source_id FROM claimed))) s) AS sinks,
           (SELECT json_agg(b) FROM (
             SELECT j.job_id, j.run, extract(epoch FROM j.completed_at) * 1000 AS completed_ms, j.total, j.matched, j.unmatched,
                    j.traceparent, j.tracestate, c.recipe, p.body_id, encode(p.sha256, 'hex') AS sha256, p.byte_count, p.row_count
               FROM (SELECT DISTINCT job_id, run, recipe FROM claimed) c
               JOIN agent_data_source_job j ON j.job_id = c.job_id AND j.run = c.run
               LEFT JOIN agent_data_source_payload p
                 ON p.job_id = c.job_id AND p.run = c.run AND p.format = c.recipe AND p.ready) b) AS bodies,
           -- Last, and so after all of the above: what has gone by since the statement began is part of it.
           now() + (clock_timestamp() - transaction_timestamp()) AS answered_at) went
    ON false
 ORDER BY c.id NULLS FIRST`;
