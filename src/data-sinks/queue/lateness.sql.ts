import type { Database } from '../database/database.js';
import { dueOf, SENDING_ORDER, WAITING_ORDER } from '../database/index-orders.js';

/** What keeps due deliveries from being sent, by the wish of a customer or for the sake of a receiver. */
export const HOLDS = ['disabled', 'circuit', 'pace', 'cap'] as const;
export type Hold = (typeof HOLDS)[number];

export interface Lateness {
  /** Of what nothing but our own side keeps from being sent, since it first became due. 0 when there is none. */
  readonly lateMs: number;
  /** The oldest that each of these holds back, since it became due; 0 when there is none. */
  readonly heldBackMs: Readonly<Record<Hold, number>>;
}

export interface LatenessLimits {
  readonly inFlightPerSink: number;
  readonly inFlightPerWorkspace: number;
}

/** Of more sinks than this with something waiting, the others are not looked at: each costs some lookups. */
const MOST_SINKS = 5_000;

/**
 * Sink by sink, as a claim goes, with one look at an index for each question. A sink whose cap is half full, or whose
 * allowance was spent a moment ago, is held back by that: between two claims there is always some room. What a worker left
 * in flight holds nobody back once its lease is over: that is our own side. Judged after the limit, not in the condition,
 * which would make the planner sort all that is in flight.
 *
 * What our own side failed of has another time for its next attempt with each back-off; since when it fails is asked apart.
 */
const LATENESS = `
WITH RECURSIVE waiting (sink, workspace_id, step) AS (
  (SELECT d.data_source_id, d.workspace_id, 1 FROM agent_data_source_delivery d
    WHERE d.status IN ('PENDING', 'RETRYING') ${WAITING_ORDER} LIMIT 1)
  UNION ALL
  SELECT next.data_source_id, next.workspace_id, w.step + 1
    FROM waiting w
    CROSS JOIN LATERAL (
      SELECT d.data_source_id, d.workspace_id FROM agent_data_source_delivery d
       WHERE d.status IN ('PENDING', 'RETRYING')
         AND (d.workspace_id, d.data_source_id) > (w.workspace_id, w.sink) ${WAITING_ORDER} LIMIT 1) next
   WHERE w.step < $3::int
),
offered AS MATERIALIZED (
  SELECT w.workspace_id, w.sink, s.*,
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('w.workspace_id', 'w.sink', 'PENDING')} LIMIT 1) AS fresh,
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('w.workspace_id', 'w.sink', 'RETRYING')} LIMIT 1) AS retry
    FROM waiting w
    LEFT JOIN LATERAL (
      SELECT a.status = 'DISABLED' AS disabled, a.status = 'ACTIVE' AND a.paused_until IS NOT NULL AS paused,
             a.paced_from > now() - interval '1 second' * (5 + 1 / (a.config->>'maxPushesPerSecond')::float8) AS paced
        FROM agent_data_source a WHERE a.id = w.sink) s ON true
),
held AS (
  SELECT o.fresh, o.retry, o.paused,
         CASE WHEN o.disabled THEN 'disabled' WHEN o.paced THEN 'pace'
              WHEN f.sink >= ceil($1::int / 2.0) OR f.workspace >= ceil($2::int / 2.0) THEN 'cap' END AS by
    FROM offered o
    CROSS JOIN LATERAL (
      SELECT (SELECT count(*) FILTER (WHERE i.lease_expires_at > now()) FROM (
               SELECT d.lease_expires_at FROM agent_data_source_delivery d
                WHERE d.status = 'IN_FLIGHT' AND (d.workspace_id, d.data_source_id) >= (o.workspace_id, o.sink)
                  AND (d.workspace_id, d.data_source_id) <= (o.workspace_id, o.sink)
                ${SENDING_ORDER} LIMIT $1::int) i) AS sink,
             (SELECT count(*) FILTER (WHERE i.lease_expires_at > now()) FROM (
               SELECT d.lease_expires_at FROM agent_data_source_delivery d
                WHERE d.status = 'IN_FLIGHT' AND d.workspace_id BETWEEN o.workspace_id AND o.workspace_id
                ${SENDING_ORDER} LIMIT $2::int) i) AS workspace) f
   WHERE o.fresh IS NOT NULL OR o.retry IS NOT NULL
),
failing AS (
  SELECT min(first.own_failing_since) AS since FROM (
    SELECT d.own_failing_since, d.data_source_id FROM agent_data_source_delivery d
     WHERE d.own_failures > 0 AND d.status IN ('PENDING', 'RETRYING') ORDER BY d.own_failing_since LIMIT 1000) first
   WHERE NOT EXISTS (SELECT FROM agent_data_source a WHERE a.id = first.data_source_id AND a.status = 'DISABLED')
),
due AS (
  SELECT coalesce(h.by, CASE WHEN h.paused THEN 'circuit' END) AS by, h.fresh AS at FROM held h
  UNION ALL
  SELECT h.by, h.retry FROM held h
  UNION ALL
  SELECT NULL, f.since FROM failing f
)
SELECT by, (extract(epoch FROM now() - min(at)) * 1000)::float8 AS ms FROM due WHERE at IS NOT NULL GROUP BY by`;

export async function lateness(
  database: Database,
  { inFlightPerSink, inFlightPerWorkspace }: LatenessLimits,
): Promise<Lateness> {
  const found = await database.query<{ by: Hold | null; ms: number }>(LATENESS, [
    ...[inFlightPerSink, inFlightPerWorkspace, MOST_SINKS],
  ]);
  const of = (hold: Hold | null): number => Math.max(found.find(({ by }) => by === hold)?.ms ?? 0, 0);
  return {
    lateMs: of(null),
    heldBackMs: { disabled: of('disabled'), circuit: of('circuit'), pace: of('pace'), cap: of('cap') },
  };
}
