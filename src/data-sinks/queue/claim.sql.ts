import { dueOf, SENDING_ORDER, WAITING_ORDER } from '../database/index-orders.js';
import { newLeaseToken } from './this-worker.js';

/**
 * Maximum number of steps per claim from workspace to workspace, and again in those that have more: a step visits one sink,
 * or finds that its workspace has no other.
 */
export const MOST_STEPS = 500;

/**
 * A turn goes to the next workspace first, and then to the next sink of that workspace. A workspace with one sink waits
 * for one round of the workspaces at most, however many sinks another has. Both rounds skip along the index of waiting deliveries,
 * so that the cost depends neither on the number of waiting deliveries nor on the number of sinks. The round of the
 * workspaces continues after the last one visited (`$4`). A workspace's own continues where it stands (`sink`), until it
 * comes to where it began (`origin`); of rounds that are not finished, `$9` has both.
 *
 * On the first lap, each workspace visits sinks until one has something to send, or `$11` have nothing. If all have had a
 * turn and the claim may visit more, a second lap goes to those that have more (`ring`), and each may visit an equal part
 * of what is left. So a workspace alone visits as many sinks per claim as several workspaces do together.
 *
 * A sink is eligible if it is not disabled, is below its limit and has something due. While a sink is paused (circuit
 * breaker open), its new deliveries wait, so that they use no retries; retries keep their promised times and probe the
 * receiver. After the pause (half-open), new deliveries are sent one at a time until one gets a response.
 *
 * Each visited sink offers up to twice its share: new deliveries before retries, with one place reserved for the oldest
 * retry. The batch is filled in rounds: every workspace's first delivery, then every workspace's second; and of these,
 * every sink's first before any sink's second. The limit of a workspace and the rate of a sink apply. A rate is stored as
 * the time since which its allowance has accumulated; the row is locked, so that two workers cannot spend the same
 * allowance.
 *
 * The chosen rows are looked up by id and checked again under their locks. Status is compared as an expression (`status
 *
 * ''`): a plain comparison would match the index of waiting deliveries, and the planner, which does not know how few
 * ids there are, might scan a backlog of a million rows. The due time is checked again, too: another worker may have
 * tried the delivery meanwhile and scheduled its retry.
 */
export const CLAIM = `
WITH RECURSIVE turn (step, leg, workspace_id, passed, sink, origin, wrapped, quota, patience, taken, walked, found, is_over,
                     is_finished, came_round, ring, ring_at, room, fresh_room, is_full, fresh, late, rate) AS (
  SELECT 0, 1, $4::text, false, ''::text, ''::text, false, 0, 0, 0, 0, 0, true,
         false, false, '{}'::text[], 0, 0, 0, false, false, false, NULL::float8
  UNION ALL
  SELECT t.step + 1, w.leg, w.workspace_id, w.passed, place.sink, w.origin, place.wrapped, w.quota, w.patience,
         w.taken + has.found, w.walked + 1, t.found + has.found, here.is_over, here.is_finished, w.came_round,
         CASE WHEN w.leg = 2 OR w.is_full OR here.is_finished OR NOT here.is_over THEN t.ring
              -- First those whose own round was finished: they have few sinks, and leave the others more.
              WHEN w.origin = '' THEN ARRAY[[w.workspace_id, place.sink, w.origin, (w.taken + has.found)::text]] || t.ring
              ELSE t.ring || ARRAY[[w.workspace_id, place.sink, w.origin, (w.taken + has.found)::text]] END,
         w.ring_at, has.room, has.fresh_room, w.is_full OR has.room = 0 AND f.sending IS NOT NULL, due.fresh, due.late, s.rate
    FROM turn t
    CROSS JOIN LATERAL (
      SELECT next.*, next.workspace_id = ANY ($7::text[]) AS is_full FROM (
        SELECT t.leg, t.workspace_id, t.passed, t.sink, t.origin, t.wrapped, t.quota, t.patience, t.taken, t.walked, t.ring_at,
               t.came_round
         WHERE NOT t.is_over
        UNION ALL
        SELECT 1, o.workspace_id, t.passed OR o.workspace_id <= t.workspace_id, stands.at, stands.origin,
               stands.origin > stands.at, 1, $11::int, 0, 0, 0,
               t.came_round OR CASE WHEN t.workspace_id < o.workspace_id THEN t.workspace_id < $10 AND $10 <= o.workspace_id
                                    ELSE t.workspace_id < $10 OR $10 <= o.workspace_id END
          FROM (
            (SELECT d.workspace_id FROM agent_data_source_delivery d
              WHERE d.status IN ('PENDING', 'RETRYING') AND t.is_over AND t.leg = 1 AND t.step < ${MOST_STEPS}
                AND d.workspace_id > t.workspace_id ${WAITING_ORDER} LIMIT 1)
            UNION ALL
            (SELECT d.workspace_id FROM agent_data_source_delivery d
              WHERE d.status IN ('PENDING', 'RETRYING') AND t.is_over AND t.leg = 1 AND t.step < ${MOST_STEPS}
                AND NOT t.passed ${WAITING_ORDER} LIMIT 1)
            LIMIT 1) o
          CROSS JOIN LATERAL (
            SELECT coalesce($9::jsonb->o.workspace_id->>0, '') AS at, coalesce($9::jsonb->o.workspace_id->>1, '') AS origin) stands
         WHERE NOT ((t.passed OR o.workspace_id <= t.workspace_id) AND o.workspace_id > $4)
        UNION ALL
        SELECT 2, t.ring[t.ring_at + 1][1], true, t.ring[t.ring_at + 1][2], t.ring[t.ring_at + 1][3],
               t.ring[t.ring_at + 1][3] > t.ring[t.ring_at + 1][2],
               t.ring[t.ring_at + 1][4]::int + ceil(($5::int - t.found) / (array_length(t.ring, 1) - t.ring_at)::float8)::int,
               ceil((${2 * MOST_STEPS} - t.step) / (array_length(t.ring, 1) - t.ring_at)::float8)::int,
               t.ring[t.ring_at + 1][4]::int, 0, t.ring_at + 1, true
         WHERE t.is_over AND t.ring_at < array_length(t.ring, 1) AND (t.leg = 2 OR t.step < ${MOST_STEPS})
        LIMIT 1) next) w
    LEFT JOIN LATERAL (
      (SELECT d.data_source_id AS sink FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') AND NOT w.is_full
          AND (d.workspace_id, d.data_source_id) > (w.workspace_id, w.sink)
          AND d.workspace_id <= w.workspace_id ${WAITING_ORDER} LIMIT 1)
      UNION ALL
      (SELECT d.data_source_id FROM agent_data_source_delivery d
        WHERE d.status IN ('PENDING', 'RETRYING') AND NOT w.is_full AND NOT w.wrapped
          AND d.workspace_id BETWEEN w.workspace_id AND w.workspace_id ${WAITING_ORDER} LIMIT 1)
      LIMIT 1) n ON NOT ((w.wrapped OR n.sink <= w.sink) AND n.sink > w.origin)
    LEFT JOIN LATERAL (
      SELECT a.status, CASE WHEN a.status = 'ACTIVE' THEN a.paused_until END AS paused_until,
             (a.config->>'maxPushesPerSecond')::float8 AS rate
        FROM agent_data_source a WHERE a.id = n.sink) s ON true
    CROSS JOIN LATERAL (
      SELECT s.status IS DISTINCT FROM 'DISABLED' AND (s.paused_until > now()) IS NOT TRUE AND (
               SELECT d.next_attempt_at FROM agent_data_source_delivery d
                WHERE ${dueOf('w.workspace_id', 'n.sink', 'PENDING')} LIMIT 1) IS NOT NULL AS fresh,
             s.status IS DISTINCT FROM 'DISABLED' AND (
               SELECT d.next_attempt_at FROM agent_data_source_delivery d
                WHERE ${dueOf('w.workspace_id', 'n.sink', 'RETRYING')} LIMIT 1) IS NOT NULL AS late
      -- OFFSET 0 keeps the planner from inlining this: it is computed once.
      OFFSET 0) due
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS sending FROM (
        SELECT FROM agent_data_source_delivery d
         WHERE d.status = 'IN_FLIGHT' AND (d.workspace_id, d.data_source_id) >= (w.workspace_id, n.sink)
           AND (d.workspace_id, d.data_source_id) <= (w.workspace_id, n.sink) ${SENDING_ORDER} LIMIT $2::int) i) f
      ON due.fresh OR due.late
    CROSS JOIN LATERAL (
      SELECT CASE WHEN due.fresh THEN greatest(CASE WHEN s.paused_until IS NULL THEN $2::int ELSE 1 END - f.sending, 0)
                  ELSE 0 END AS fresh_room,
             CASE WHEN due.late THEN greatest($2::int - f.sending, 0) ELSE 0 END AS late_room
    ) r
    CROSS JOIN LATERAL (
      SELECT r.fresh_room, greatest(r.fresh_room, r.late_room) AS room,
             (greatest(r.fresh_room, r.late_room) > 0)::int AS found OFFSET 0) has
    CROSS JOIN LATERAL (
      SELECT coalesce(n.sink, w.sink) AS sink, w.wrapped OR (n.sink <= w.sink) IS TRUE AS wrapped) place
    CROSS JOIN LATERAL (
      SELECT over.is_finished,
             w.is_full OR over.is_finished OR w.taken + has.found >= w.quota OR w.walked + 1 >= w.patience AS is_over
        FROM (SELECT NOT w.is_full AND (n.sink IS NULL OR place.wrapped AND n.sink = w.origin) AS is_finished) over) here
   WHERE t.step < ${2 * MOST_STEPS} AND t.found < $5::int
),
round AS MATERIALIZED (
  SELECT max(leg) = 2 OR max(step) < ${MOST_STEPS} AND max(found) < $5::int AS all_had_a_turn,
         max(ring_at) = coalesce(max(array_length(ring, 1)), 0)
         AND coalesce(bool_and(is_finished) FILTER (WHERE leg = 2 AND is_over), true) AS all_finished,
         bool_or(came_round) AS came_round, bool_or(is_full) AS is_full,
         count(*) FILTER (WHERE room > 0 AND taken = 1) AS workspaces,
         -- In the order of the steps, as they were added; a sort would cost more than all of this.
         json_agg(json_build_array(workspace_id, sink, origin, is_finished)) FILTER (WHERE is_over AND step > 0) AS turns
    FROM turn
),
visited AS MATERIALIZED (
  SELECT sink, workspace_id, room, fresh_room, fresh, late, rate, ceil(2.0 * $1::int / (SELECT workspaces FROM round)
                 / count(*) OVER (PARTITION BY workspace_id))::int AS share FROM turn WHERE room > 0
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
offered AS MATERIALIZED (
  SELECT v.sink, v.workspace_id, v.room, v.fresh, v.fresh_room, v.rate, p.allowance, v.share, o.*
    FROM visited v
    LEFT JOIN paced p ON p.id = v.sink
    CROSS JOIN LATERAL (
      SELECT next.id, next.next_attempt_at, next.late, row_number() OVER (ORDER BY next.late, next.next_attempt_at) AS round
        FROM (
          (SELECT d.id, d.next_attempt_at, 0 AS late FROM agent_data_source_delivery d
            WHERE ${dueOf('v.workspace_id', 'v.sink', 'PENDING')} LIMIT least(v.fresh_room, least(v.room, v.share) - (v.late AND v.room > 1 AND v.share > 1)::int))
          UNION ALL
          (SELECT d.id, d.next_attempt_at, 1 AS late FROM agent_data_source_delivery d
            WHERE ${dueOf('v.workspace_id', 'v.sink', 'RETRYING')} LIMIT least(v.room, v.share))
          ORDER BY late, next_attempt_at LIMIT least(v.room, v.share)
        ) next) o
),
ranked AS (
  SELECT o.*, row_number() OVER (PARTITION BY o.workspace_id ORDER BY o.round, o.next_attempt_at) AS of_workspace
    FROM offered o
   WHERE o.rate IS NULL OR o.round <= o.allowance
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
  SELECT r.id, r.workspace_id, r.sink, r.room, r.fresh, r.fresh_room, r.late FROM ranked r JOIN workspace w ON w.workspace_id = r.workspace_id
   WHERE r.of_workspace <= w.room ORDER BY r.of_workspace, r.next_attempt_at LIMIT $1::int
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
    SELECT r.turns, r.all_had_a_turn OR r.came_round AS came_round,
           r.all_had_a_turn AND r.all_finished AND o.fits AND o.has_more IS NOT TRUE AS exhausted,
           d.count < least((SELECT count(*) FROM ranked), $1::int) OR d.is_full IS TRUE OR r.is_full AS capped,
           ARRAY(SELECT w.workspace_id FROM workspace w
                  WHERE w.room <= (SELECT count(*) FROM due d WHERE d.workspace_id = w.workspace_id)) AS full_workspaces,
           o.paced_ms,
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
           (extract(epoch FROM now() + (clock_timestamp() - transaction_timestamp())) * 1000)::float8 AS answered_ms
      FROM round r,
           (SELECT count(*) <= $1::int AS fits, bool_or(share < room AND round = share) AS has_more,
                   1000 / max(rate) FILTER (WHERE round > allowance) AS paced_ms FROM offered) o,
           (SELECT coalesce(sum(s.count), 0) AS count, bool_or(s.is_full) AS is_full
              FROM (SELECT count(*) AS count, count(*) >= max(room)
                           OR bool_or(fresh) AND count(*) FILTER (WHERE late = 0) >= max(fresh_room) AS is_full
                      FROM due GROUP BY sink) s) d) went
    ON false
 ORDER BY c.id NULLS FIRST`;
