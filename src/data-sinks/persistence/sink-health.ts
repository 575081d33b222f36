import type { AttemptErrorCode } from '../core/attempt.js';
import { firstIdAt } from '../core/ids.js';
import { type Database, rows } from './database.js';

/** Attempts of a time. Those that our own side broke off count for nothing. */
export interface HealthWindow {
  readonly attempts: number;
  readonly succeeded: number;
  /** From 0 to 1; null without attempts. */
  readonly successRate: number | null;
  /** Duration of a whole attempt; null without attempts. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface LastError {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly at: Date;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  /** Of the body that was sent. */
  readonly bytes: number;
}

export interface SinkHealth {
  /** Attempts since the last one that succeeded, at most 1,000. */
  readonly consecutiveFailures: number;
  readonly lastHour: HealthWindow;
  readonly last24Hours: HealthWindow;
  /** Among the last 1,000 attempts. */
  readonly lastError: LastError | null;
  /** Deliveries that wait, at most 100,000. */
  readonly waiting: number;
  /** For how long the oldest of them has been due; null when none is due. */
  readonly oldestDueMs: number | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How the attempts of a window went; `of` is a condition on `recent`. */
const windowOf = (name: string, of: string): string => `
  count(*) FILTER (WHERE ${of})::int AS ${name}_attempts,
  count(*) FILTER (WHERE ${of} AND status = 'SUCCEEDED')::int AS ${name}_succeeded,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of}) AS ${name}_p50,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY total_ms) FILTER (WHERE ${of}) AS ${name}_p95`;

/** Every part reads a bounded piece of an index: a sink with a billion attempts costs no more than one with thousands. */
const HEALTH = `
WITH recent AS MATERIALIZED (
  SELECT started_at, status, total_ms FROM agent_data_source_sync
   WHERE data_source_id = $1 AND id >= $2 AND started_at > now() - interval '24 hours'
     AND status NOT IN ('IN_FLIGHT', 'ABANDONED')
   ORDER BY id DESC LIMIT 10000
),
newest AS MATERIALIZED (
  SELECT id, delivery_id, status, error_code, http_status, payload_bytes, coalesce(finished_at, started_at) AS at,
         row_number() OVER (ORDER BY id DESC) AS n
    FROM agent_data_source_sync
   WHERE data_source_id = $1 AND status NOT IN ('IN_FLIGHT', 'ABANDONED')
   ORDER BY id DESC LIMIT 1000
),
error AS (SELECT * FROM newest WHERE status <> 'SUCCEEDED' ORDER BY n LIMIT 1)
SELECT windows.*,
       (SELECT coalesce(min(n) FILTER (WHERE status = 'SUCCEEDED') - 1, count(*))::int FROM newest) AS failures,
       (SELECT count(*)::int FROM (
          SELECT FROM agent_data_source_delivery
           WHERE data_source_id = $1 AND status IN ('PENDING', 'RETRYING') LIMIT 100000) w) AS waiting,
       (SELECT extract(epoch FROM now() - min(next_attempt_at)) * 1000 FROM agent_data_source_delivery
         WHERE data_source_id = $1 AND status IN ('PENDING', 'RETRYING') AND next_attempt_at <= now())::float8 AS due_ms,
       error.id, error.delivery_id, error.error_code, error.http_status, error.payload_bytes, error.at
  FROM (SELECT ${windowOf('hour', "started_at > now() - interval '1 hour'")}, ${windowOf('day', 'true')} FROM recent) windows
  LEFT JOIN error ON true`;

/** @param nowMs milliseconds since 1970; finds where in the index the last 24 hours begin */
export async function sinkHealth(database: Database, dataSourceId: string, nowMs: number): Promise<SinkHealth> {
  // An hour more, since ids are made by the clocks of workers; the statement itself goes by the database's.
  const fromId = firstIdAt('attempt', Math.max(nowMs - DAY_MS - HOUR_MS, 0));
  const [row] = await rows<HealthRow>(database, HEALTH, [dataSourceId, fromId]);
  if (!row) throw new Error('the health of a sink is always one row');
  return {
    consecutiveFailures: row.failures,
    lastHour: toWindow(row.hour_attempts, row.hour_succeeded, row.hour_p50, row.hour_p95),
    last24Hours: toWindow(row.day_attempts, row.day_succeeded, row.day_p50, row.day_p95),
    lastError:
      row.id === null || row.delivery_id === null || row.at === null
        ? null
        : {
            ...{ attemptId: row.id, deliveryId: row.delivery_id, at: row.at },
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
  at: Date | null;
}
