import { dueOf, SENDING_ORDER, WAITING_ORDER } from '../database/index-orders.js';
import { newLeaseToken } from './this-worker.js';

/** Maximum number of sinks to skip per claim because nothing is due, they are at their limit, or paused. */
const MOST_STEPS = 500;

/**
 * Claims visit one sink after the other along the index of waiting deliveries, starting after the last sink visited.
 * The cost therefore depends neither on the number of waiting deliveries nor on the number of sinks. A sink is eligible
 * if it is not disabled, is below its limit and has something due. While a sink is paused (circuit breaker open), its
 * new deliveries wait, so that they use no retries; retries keep their promised times and probe the receiver. After the
 * pause (half-open), new deliveries are sent one at a time until one gets a response.
 *
 * Each visited sink offers up to twice its share: new deliveries before retries, with one place reserved for the oldest
 * retry. The batch is filled in rounds: every sink's first delivery, then every sink's second, within the workspace's
 * limit and the sink's rate. A rate is stored as the time since which its allowance has accumulated; the row is locked,
 * so that two workers cannot spend the same allowance.
 *
 * The chosen rows are looked up by id and checked again under their locks. Status is compared as an expression (`status
 *
 * ''`): a plain comparison would match the index of waiting deliveries, and the planner, which does not know how few
 * ids there are, might scan a backlog of a million rows. The due time is checked again, too: another worker may have
 * tried the delivery meanwhile and scheduled its retry.
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
        WHERE d.status IN ('PENDING', 'RETRYING') AND d.data_source_id > t.sink ${WAITING_ORDER} LIMIT 1)
      UNION ALL
      (SELECT d.data_source_id, d.workspace_id FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') AND NOT t.wrapped ${WAITING_ORDER} LIMIT 1)
      LIMIT 1) next
    LEFT JOIN LATERAL (
      SELECT a.status, CASE WHEN a.status = 'ACTIVE' THEN a.paused_until END AS paused_until,
             (a.config->>'maxPushesPerSecond')::float8 AS rate
        FROM agent_data_source a WHERE a.id = next.sink) s ON true
    CROSS JOIN LATERAL (
      SELECT next.workspace_id <> ALL ($7::text[]) AND s.status IS DISTINCT FROM 'DISABLED'
             AND (s.paused_until > now()) IS NOT TRUE AND (
               SELECT d.next_attempt_at FROM agent_data_source_delivery d
                WHERE ${dueOf('next.sink', 'PENDING')} LIMIT 1) IS NOT NULL AS fresh,
             next.workspace_id <> ALL ($7::text[]) AND s.status IS DISTINCT FROM 'DISABLED' AND (
               SELECT d.next_attempt_at FROM agent_data_source_delivery d
                WHERE ${dueOf('next.sink', 'RETRYING')} LIMIT 1) IS NOT NULL AS late
      -- OFFSET 0 keeps the planner from inlining this: it is computed once.
      OFFSET 0) due
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS sending FROM (
        SELECT FROM agent_data_source_delivery d
         WHERE d.status = 'IN_FLIGHT' AND (d.workspace_id, d.data_source_id) >= (next.workspace_id, next.sink)
           AND (d.workspace_id, d.data_source_id) <= (next.workspace_id, next.sink) ${SENDING_ORDER} LIMIT $2::int) i) f
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
          (SELECT d.id, d.next_attempt_at, 0 AS late FROM agent_data_source_delivery d
            WHERE ${dueOf('v.sink', 'PENDING')} LIMIT least(v.fresh_room, least(v.room, v.share) - (v.late AND v.room > 1 AND v.share > 1)::int))
          UNION ALL
          (SELECT d.id, d.next_attempt_at, 1 AS late FROM agent_data_source_delivery d
            WHERE ${dueOf('v.sink', 'RETRYING')} LIMIT least(v.room, v.share))
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
           SELECT count(*) FROM (
             SELECT FROM agent_data_source_delivery d
              WHERE d.status = 'IN_FLIGHT' AND d.workspace_id BETWEEN w.workspace_id AND w.workspace_id
              ${SENDING_ORDER} LIMIT $6::int) i) AS room
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
         lease_token = ${newLeaseToken('$8')}, lease_expires_at = now() + $3::int * interval '1 millisecond'
    FROM picked WHERE d.id = picked.id
  RETURNING d.id, d.workspace_id, d.agent_id, d.data_source_id, d.job_id, d.run, d.recipe, d.trigger, d.attempt_count,
            d.retries_allowed, d.retries_spent, d.own_failures, d.last_error_code, d.lease_token
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
             SELECT s.id, s.type, s.config, s.config_version, s.status, s.secret_id, s.failures_in_row,
                    extract(epoch FROM s.deleted_at) * 1000 AS deleted_ms,
                    extract(epoch FROM s.previous_secret_expires_at) * 1000 AS previous_secret_expires_ms,
                    CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret_id END AS previous_secret_id
               FROM agent_data_source s WHERE s.id = ANY (ARRAY(SELECT data_source_id FROM claimed))) s) AS sinks,
           (SELECT json_agg(b) FROM (
             SELECT j.workspace_id, j.job_id, j.run, extract(epoch FROM j.completed_at) * 1000 AS completed_ms,
                    j.total, j.matched, j.unmatched, j.traceparent, j.tracestate, c.recipe, p.body_id, encode(p.sha256, 'hex') AS sha256, p.byte_count, p.row_count
               FROM (SELECT DISTINCT workspace_id, job_id, run, recipe FROM claimed) c
               JOIN agent_data_source_job j
                 ON j.workspace_id = c.workspace_id AND j.job_id = c.job_id AND j.run = c.run
               LEFT JOIN agent_data_source_payload p
                 ON p.workspace_id = c.workspace_id AND p.job_id = c.job_id AND p.run = c.run AND p.format = c.recipe AND p.ready) b) AS bodies,
           -- Last, so that its time includes the statement's own duration.
           (extract(epoch FROM now() + (clock_timestamp() - transaction_timestamp())) * 1000)::float8 AS answered_ms) went
    ON false
 ORDER BY c.id NULLS FIRST`;
