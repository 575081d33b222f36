import type { AttemptErrorCode } from '../domain/attempt.js';
import type { DataSink } from '../domain/data-sink.js';
import { firstIdAt } from '../domain/ids.js';
import { HEALTH_BOUNDS, type HealthWindow, type SinkHealth } from '../domain/sink-health.js';
import type { Database } from '../database/database.js';
import { dueOf, WAITING_ORDER } from '../database/index-orders.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Attempts that depend on the receiver. */
const COUNTS = `status NOT IN ('IN_FLIGHT', 'ABANDONED') AND error_code IS DISTINCT FROM 'stale_connection'`;

/** Statistics of a time window, as JSON in the names of `Counted`; `of` is a condition on `recent`. */
const windowOf = (name: string, of: string): string => `
  json_build_object(
    'attempts', count(*) FILTER (WHERE ${of}),
    'succeeded', count(*) FILTER (WHERE ${of} AND status = 'SUCCEEDED'),
    'p50Ms', percentile_disc(0.5) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of}),
    'p95Ms', percentile_disc(0.95) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of})) AS "${name}"`;

/**
 * Every part reads a bounded range of an index, so a sink with a billion attempts costs no more than one with
 * thousands.
 */
const HEALTH = `
WITH recent AS MATERIALIZED (
  SELECT started_at, status, total_ms FROM agent_data_source_sync
   WHERE (data_source_id, id) >= ($1, $2) AND data_source_id <= $1 AND started_at > now() - interval '24 hours'
     AND ${COUNTS}
   ORDER BY data_source_id DESC, id DESC LIMIT ${HEALTH_BOUNDS.last24Hours}
),
newest AS MATERIALIZED (
  SELECT id, delivery_id, status, error_code, http_status, payload_bytes, ${millisecondsOf('coalesce(finished_at, started_at)')} AS at_ms,
         row_number() OVER (ORDER BY id DESC) AS n
    FROM agent_data_source_sync
   WHERE data_source_id BETWEEN $1 AND $1 AND ${COUNTS}
   ORDER BY data_source_id DESC, id DESC LIMIT ${HEALTH_BOUNDS.consecutiveFailures}
),
error AS (SELECT * FROM newest WHERE status <> 'SUCCEEDED' ORDER BY n LIMIT 1)
SELECT windows.*,
       (SELECT coalesce(min(n) FILTER (WHERE status = 'SUCCEEDED') - 1, count(*))::int FROM newest) AS "consecutiveFailures",
       (SELECT count(*)::int FROM (
          SELECT FROM agent_data_source_delivery d
           WHERE (d.workspace_id, d.data_source_id) >= ($3, $1) AND (d.workspace_id, d.data_source_id) <= ($3, $1)
             AND d.status IN ('PENDING', 'RETRYING') ${WAITING_ORDER} LIMIT ${HEALTH_BOUNDS.waiting}) w) AS waiting,
       (extract(epoch FROM now() - least(
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('$3', '$1', 'PENDING')} LIMIT 1),
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('$3', '$1', 'RETRYING')} LIMIT 1))) * 1000)::float8 AS "oldestDueMs",
       error.id AS "attemptId", error.delivery_id AS "deliveryId", error.error_code AS "errorCode", error.http_status AS "httpStatus",
       error.payload_bytes::float8 AS bytes, error.at_ms AS "atMs"
  FROM (SELECT ${windowOf('lastHour', "started_at > now() - interval '1 hour'")}, ${windowOf('last24Hours', 'true')} FROM recent) windows
  LEFT JOIN error ON true`;

/** @param nowMs milliseconds since 1970; locates the last 24 hours in the index */
export async function sinkHealth(
  database: Database,
  { workspaceId, id }: Pick<DataSink, 'workspaceId' | 'id'>,
  nowMs: number,
): Promise<SinkHealth> {
  // One hour more, since ids use the clocks of workers; the statement itself uses the database's clock.
  const fromId = firstIdAt('attempt', Math.max(nowMs - DAY_MS - HOUR_MS, 0));
  const [row] = await database.query<HealthRow>(HEALTH, [id, fromId, workspaceId]);
  if (!row) throw new Error('the health of a sink is always one row');
  const { lastHour, last24Hours, attemptId, deliveryId, errorCode, httpStatus, bytes, atMs, ...rest } = row;
  return {
    ...rest,
    lastHour: toWindow(lastHour),
    last24Hours: toWindow(last24Hours),
    lastError:
      attemptId === null || deliveryId === null || atMs === null
        ? null
        : { attemptId, deliveryId, at: timeOf(atMs), errorCode, httpStatus, bytes },
    oldestDueMs: rest.oldestDueMs === null ? null : Math.round(rest.oldestDueMs),
  };
}

function toWindow({ attempts, succeeded, p50Ms, p95Ms }: Counted): HealthWindow {
  return { attempts, succeeded, successRate: attempts === 0 ? null : succeeded / attempts, p50Ms, p95Ms };
}

type Counted = Omit<HealthWindow, 'successRate'>;

interface HealthRow {
  lastHour: Counted;
  last24Hours: Counted;
  consecutiveFailures: number;
  waiting: number;
  oldestDueMs: number | null;
  /** Of the last error, as the columns below; null when there was none. */
  attemptId: string | null;
  deliveryId: string | null;
  errorCode: AttemptErrorCode | null;
  httpStatus: number | null;
  bytes: number;
  atMs: number | null;
}
