import type { AttemptErrorCode } from '../domain/attempt.js';
import { firstIdAt } from '../domain/ids.js';
import type { HealthWindow, SinkHealth } from '../domain/sink-health.js';
import type { Database } from '../database/database.js';
import { dueOf, WAITING_ORDER } from '../database/index-orders.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Attempts that depend on the receiver. */
const COUNTS = `status NOT IN ('IN_FLIGHT', 'ABANDONED') AND error_code IS DISTINCT FROM 'stale_connection'`;

/** Statistics of a time window; `of` is a condition on `recent`. */
const windowOf = (name: string, of: string): string => `
  count(*) FILTER (WHERE ${of})::int AS ${name}_attempts,
  count(*) FILTER (WHERE ${of} AND status = 'SUCCEEDED')::int AS ${name}_succeeded,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of}) AS ${name}_p50,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of}) AS ${name}_p95`;

/**
 * Every part reads a bounded range of an index, so a sink with a billion attempts costs no more than one with
 * thousands.
 */
const HEALTH = `
WITH recent AS MATERIALIZED (
  SELECT started_at, status, total_ms FROM agent_data_source_sync
   WHERE (data_source_id, id) >= ($1, $2) AND data_source_id <= $1 AND started_at > now() - interval '24 hours'
     AND ${COUNTS}
   ORDER BY data_source_id DESC, id DESC LIMIT 10000
),
newest AS MATERIALIZED (
  SELECT id, delivery_id, status, error_code, http_status, payload_bytes, ${millisecondsOf('coalesce(finished_at, started_at)')} AS at_ms,
         row_number() OVER (ORDER BY id DESC) AS n
    FROM agent_data_source_sync
   WHERE data_source_id BETWEEN $1 AND $1 AND ${COUNTS}
   ORDER BY data_source_id DESC, id DESC LIMIT 1000
),
error AS (SELECT * FROM newest WHERE status <> 'SUCCEEDED' ORDER BY n LIMIT 1)
SELECT windows.*,
       (SELECT coalesce(min(n) FILTER (WHERE status = 'SUCCEEDED') - 1, count(*))::int FROM newest) AS failures,
       (SELECT count(*)::int FROM (
          SELECT FROM agent_data_source_delivery d
           WHERE d.data_source_id BETWEEN $1 AND $1 AND d.status IN ('PENDING', 'RETRYING') ${WAITING_ORDER} LIMIT 100000) w) AS waiting,
       (extract(epoch FROM now() - least(
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('$1', 'PENDING')} LIMIT 1),
         (SELECT d.next_attempt_at FROM agent_data_source_delivery d WHERE ${dueOf('$1', 'RETRYING')} LIMIT 1))) * 1000)::float8 AS due_ms,
       error.id, error.delivery_id, error.error_code, error.http_status, error.payload_bytes, error.at_ms
  FROM (SELECT ${windowOf('hour', "started_at > now() - interval '1 hour'")}, ${windowOf('day', 'true')} FROM recent) windows
  LEFT JOIN error ON true`;

/** @param nowMs milliseconds since 1970; locates the last 24 hours in the index */
export async function sinkHealth(database: Database, dataSourceId: string, nowMs: number): Promise<SinkHealth> {
  // One hour more, since ids use the clocks of workers; the statement itself uses the database's clock.
  const fromId = firstIdAt('attempt', Math.max(nowMs - DAY_MS - HOUR_MS, 0));
  const [row] = await database.query<HealthRow>(HEALTH, [dataSourceId, fromId]);
  if (!row) throw new Error('the health of a sink is always one row');
  return {
    consecutiveFailures: row.failures,
    lastHour: toWindow(row.hour_attempts, row.hour_succeeded, row.hour_p50, row.hour_p95),
    last24Hours: toWindow(row.day_attempts, row.day_succeeded, row.day_p50, row.day_p95),
    lastError:
      row.id === null || row.delivery_id === null || row.at_ms === null
        ? null
        : {
            ...{ attemptId: row.id, deliveryId: row.delivery_id, at: timeOf(row.at_ms) },
            ...{ errorCode: row.error_code, httpStatus: row.http_status, bytes: Number(row.payload_bytes) },
          },
    waiting: row.waiting,
    oldestDueMs: row.due_ms === null ? null : Math.round(row.due_ms),
  };
}

function toWindow(attempts: number, succeeded: number, p50Ms: number | null, p95Ms: number | null): HealthWindow {
  return { attempts, succeeded, successRate: attempts === 0 ? null : succeeded / attempts, p50Ms, p95Ms };
}

interface HealthRow {
  hour_attempts: number;
  hour_succeeded: number;
  hour_p50: number | null;
  hour_p95: number | null;
  day_attempts: number;
  day_succeeded: number;
  day_p50: number | null;
  day_p95: number | null;
  failures: number;
  waiting: number;
  due_ms: number | null;
  id: string | null;
  delivery_id: string | null;
  error_code: AttemptErrorCode | null;
  http_status: number | null;
  payload_bytes: string | null;
  at_ms: number | null;
}
