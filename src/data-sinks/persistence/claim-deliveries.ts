import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DataSinkStatus, HttpsWebhookConfig, PayloadFormat } from '../core/data-sink.js';
import type { DeliveryTrigger } from '../core/delivery.js';
import { acceptTraceContext } from '../core/trace-context.js';
import { type Database, rows } from './database.js';

export interface ClaimLimits {
  /** At most so many deliveries in one claim. */
  readonly batch: number;
  /** At most so many in flight per sink, over all workers (two claims at the same instant may both fill the cap). */
  readonly inFlightPerSink: number;
  readonly leaseMs: number;
}

/**
 * Which sinks have anything waiting is found by skipping from sink to sink along the partial index, so that a backlog of
 * a million deliveries on one sink costs one step. Each sink then offers its fresh deliveries before its retries, within
 * what its cap leaves, and the batch is filled in rounds: everybody's first, then everybody's second. What waits for a
 * disabled sink stays where it is; its status is looked up by key, once per waiting sink.
 *
 * The chosen rows are looked up by their ids and checked once more under their locks. Their status is compared as an
 * expression there: compared as it is, it would fit the index of all that waits, and the planner, who cannot know how
 * few the ids are, would read a backlog of a million through.
 */
const WAITING_SINKS = `
WITH RECURSIVE waiting (data_source_id) AS (
  (SELECT data_source_id FROM agent_data_source_delivery
    WHERE status IN ('PENDING', 'RETRYING') ORDER BY data_source_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.data_source_id FROM agent_data_source_delivery d
           WHERE d.status IN ('PENDING', 'RETRYING') AND d.data_source_id > w.data_source_id
           ORDER BY d.data_source_id LIMIT 1)
    FROM waiting w WHERE w.data_source_id IS NOT NULL
)`;

const CLAIM = `${WAITING_SINKS},
due AS (
  SELECT offered.id, offered.total >= room.free AS fills_cap
    FROM waiting w
    CROSS JOIN LATERAL (
      SELECT greatest($2::int - count(*), 0) AS free FROM agent_data_source_delivery f
       WHERE f.data_source_id = w.data_source_id AND f.status = 'IN_FLIGHT') room
    CROSS JOIN LATERAL (
      SELECT next.id, next.next_attempt_at, count(*) OVER () AS total,
             row_number() OVER (ORDER BY next.late, next.next_attempt_at) AS round
        FROM (
          (SELECT id, next_attempt_at, 0 AS late FROM agent_data_source_delivery
            WHERE data_source_id = w.data_source_id AND status = 'PENDING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT room.free)
          UNION ALL
          (SELECT id, next_attempt_at, 1 AS late FROM agent_data_source_delivery
            WHERE data_source_id = w.data_source_id AND status = 'RETRYING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT room.free)
          ORDER BY late, next_attempt_at LIMIT room.free
        ) next) offered
   WHERE w.data_source_id IS NOT NULL
     AND (SELECT s.status FROM agent_data_source s WHERE s.id = w.data_source_id) IS DISTINCT FROM 'DISABLED'
   ORDER BY offered.round, offered.next_attempt_at
   LIMIT $1::int
),
picked AS (
  SELECT d.id FROM agent_data_source_delivery d
   WHERE d.id = ANY (ARRAY(SELECT id FROM due)) AND d.status || '' IN ('PENDING', 'RETRYING')
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE agent_data_source_delivery d
     SET status = 'IN_FLIGHT', next_attempt_at = NULL, updated_at = now(),
         lease_token = gen_random_uuid(), lease_expires_at = now() + $3::int * interval '1 millisecond'
    FROM picked WHERE d.id = picked.id
  RETURNING d.*
)
SELECT now() AS claimed_at, due.fills_cap, c.id, c.workspace_id, c.agent_id, c.data_source_id, c.job_id, c.run, c.format, c.trigger, c.attempt_count,
       c.retries_allowed, c.retries_spent, c.own_failures, c.lease_token,
       j.completed_at, j.total, j.matched, j.unmatched, j.traceparent, j.tracestate,
       s.config, s.config_version, s.status AS sink_status, s.deleted_at, s.secret_id, s.previous_secret_expires_at,
       CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret_id END AS previous_secret_id,
       p.body_id, p.sha256, p.byte_count, p.row_count
  FROM claimed c
  JOIN due ON due.id = c.id
  JOIN agent_data_source_job j ON j.job_id = c.job_id AND j.run = c.run
  LEFT JOIN agent_data_source s ON s.id = c.data_source_id
  LEFT JOIN agent_data_source_payload p ON p.job_id = c.job_id AND p.run = c.run AND p.format = c.format AND p.ready
 ORDER BY c.id`;

/** Takes due deliveries, fair across sinks, under a lease. The database's clock decides what is due. */
export async function claimDeliveries(database: Database, limits: ClaimLimits): Promise<ClaimedDelivery[]> {
  const claimed = await rows<ClaimedRow>(database, CLAIM, [limits.batch, limits.inFlightPerSink, limits.leaseMs]);
  return claimed.map(toClaimedDelivery);
}

/**
 * One look at one index. Only when the first delivery in line is a disabled sink's, it is asked sink by sink: it may be
 * overdue for days, and a backlog behind a disabled sink must not be read through at every poll.
 */
const NEXT_DUE = `
WITH first AS MATERIALIZED (
  SELECT d.next_attempt_at, s.status FROM agent_data_source_delivery d
    LEFT JOIN agent_data_source s ON s.id = d.data_source_id
   WHERE d.status IN ('PENDING', 'RETRYING') ORDER BY d.next_attempt_at LIMIT 1
)
SELECT ceil(extract(epoch FROM
  CASE WHEN (SELECT status FROM first) IS DISTINCT FROM 'DISABLED' THEN (SELECT next_attempt_at FROM first)
  ELSE (
    ${WAITING_SINKS}
    SELECT min(least(
      (SELECT min(d.next_attempt_at) FROM agent_data_source_delivery d
        WHERE d.data_source_id = w.data_source_id AND d.status = 'PENDING'),
      (SELECT min(d.next_attempt_at) FROM agent_data_source_delivery d
        WHERE d.data_source_id = w.data_source_id AND d.status = 'RETRYING')))
      FROM waiting w
     WHERE w.data_source_id IS NOT NULL
       AND (SELECT s.status FROM agent_data_source s WHERE s.id = w.data_source_id) IS DISTINCT FROM 'DISABLED'
  ) END - now()) * 1000)::float8 AS ms`;

async function dueInMs(database: Database): Promise<number | null> {
  const [next] = await rows<{ ms: number | null }>(database, NEXT_DUE);
  return next?.ms ?? null;
}

/**
 * Milliseconds until the next delivery is due that may be sent, 0 when one is due now, null when none waits. What waits
 * for a disabled sink is not due.
 */
export async function nextDueInMs(database: Database): Promise<number | null> {
  const ms = await dueInMs(database);
  return ms === null ? null : Math.max(ms, 0);
}

/** For how long the oldest delivery has been due that may be sent, in milliseconds; 0 when none is due. */
export async function oldestDueAgeMs(database: Database): Promise<number> {
  return Math.max(-((await dueInMs(database)) ?? 0), 0);
}

interface ClaimedRow {
  claimed_at: Date;
  fills_cap: boolean;
  id: string;
  workspace_id: string;
  agent_id: string;
  data_source_id: string;
  job_id: string;
  run: number;
  format: PayloadFormat;
  trigger: DeliveryTrigger;
  attempt_count: number;
  retries_allowed: number;
  retries_spent: number;
  own_failures: number;
  lease_token: string;
  completed_at: Date;
  total: string;
  matched: string;
  unmatched: string;
  traceparent: string | null;
  tracestate: string | null;
  config: HttpsWebhookConfig | null;
  config_version: number;
  sink_status: DataSinkStatus;
  deleted_at: Date | null;
  secret_id: string;
  previous_secret_id: string | null;
  previous_secret_expires_at: Date | null;
  body_id: string | null;
  sha256: Buffer | null;
  byte_count: string;
  row_count: string;
}

function toClaimedDelivery(row: ClaimedRow): ClaimedDelivery {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    dataSourceId: row.data_source_id,
    jobId: row.job_id,
    run: row.run,
    format: row.format,
    trigger: row.trigger,
    attemptCount: row.attempt_count,
    retriesAllowed: row.retries_allowed,
    retriesSpent: row.retries_spent,
    ownFailures: row.own_failures,
    leaseToken: row.lease_token,
    claimedAt: row.claimed_at,
    fillsCap: row.fills_cap,
    completedAt: row.completed_at,
    stats: { total: Number(row.total), matched: Number(row.matched), unmatched: Number(row.unmatched) },
    sink: row.config && {
      config: row.config,
      configVersion: row.config_version,
      status: row.sink_status,
      deletedAt: row.deleted_at,
      secretId: row.secret_id,
      previousSecret:
        row.previous_secret_id === null || row.previous_secret_expires_at === null
          ? null
          : { secretId: row.previous_secret_id, expiresAt: row.previous_secret_expires_at },
    },
    payload:
      row.body_id === null || row.sha256 === null
        ? null
        : {
            bodyId: row.body_id,
            sha256: row.sha256.toString('hex'),
            bytes: Number(row.byte_count),
            rows: Number(row.row_count),
          },
    traceContext: acceptTraceContext(row),
  };
}
