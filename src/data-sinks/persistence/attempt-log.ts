import type { AnswerEnding, AttemptErrorCode, AttemptStatus, AttemptTimings } from '../core/attempt.js';
import type { AuthScheme } from '../core/data-sink.js';
import type { DeliveryPlan } from '../core/delivery.js';
import { columns, type Database, rows } from './database.js';
import { ONE_MORE_OWN_FAILURE } from './lease-keeping.js';

/** An attempt about to be made. */
export interface AttemptOpening {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly leaseToken: string;
  readonly url: string;
  readonly authScheme: AuthScheme;
  readonly configVersion: number;
  readonly payload: { readonly bodyId: string; readonly sha256: string; readonly bytes: number; readonly rows: number };
}

export interface OpenedAttempt {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly attemptNumber: number;
  /** The database's time; with the id, the row's key. */
  readonly startedAt: Date;
}

/**
 * Whole milliseconds, so that the key survives the way through a JavaScript Date. One delivery may be in a batch twice,
 * under the lease that was lost and under the one that its worker holds now: each attempt stands for itself.
 */
const OPEN = `
WITH opening AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::bytea[], $8::bigint[],
                       $9::bigint[], $10::text[])
    AS o (attempt_id, delivery_id, lease_token, url, auth_scheme, config_version, sha256, bytes, row_count, body_id)
),
counted AS (
  UPDATE agent_data_source_delivery d
     SET attempt_count = d.attempt_count + 1, updated_at = now(),
         payload_previous_sha256 = CASE WHEN d.payload_body_id <> o.body_id THEN d.payload_sha256
                                        ELSE d.payload_previous_sha256 END,
         payload_body_id = o.body_id, payload_sha256 = o.sha256, payload_bytes = o.bytes, payload_rows = o.row_count
    FROM opening o
   WHERE d.id = o.delivery_id AND d.lease_token = o.lease_token AND d.status = 'IN_FLIGHT'
  RETURNING o.attempt_id, d.id, d.workspace_id, d.agent_id, d.data_source_id, d.job_id, d.trigger, d.attempt_count
)
INSERT INTO agent_data_source_sync
  (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status,
   url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
SELECT o.attempt_id, date_trunc('milliseconds', now()), c.id, c.data_source_id, c.workspace_id, c.agent_id, c.job_id,
       c.attempt_count, c.trigger, 'IN_FLIGHT', o.url, o.auth_scheme, o.config_version, o.sha256, o.bytes, $11
  FROM opening o JOIN counted c ON c.attempt_id = o.attempt_id
RETURNING id, delivery_id, attempt_number, started_at`;

/**
 * Writes the attempt rows before their requests leave. An attempt whose lease was lost meanwhile is not among the
 * answers and must not be sent.
 */
export async function openAttempts(
  database: Database,
  workerId: string,
  openings: readonly AttemptOpening[],
): Promise<OpenedAttempt[]> {
  const opened = await rows<{ id: string; delivery_id: string; attempt_number: number; started_at: Date }>(
    database,
    OPEN,
    [
      ...columns(
        openings,
        (o) => o.attemptId,
        (o) => o.deliveryId,
        (o) => o.leaseToken,
        (o) => o.url,
        (o) => o.authScheme,
        (o) => o.configVersion,
        (o) => Buffer.from(o.payload.sha256, 'hex'),
        (o) => o.payload.bytes,
        (o) => o.payload.rows,
        (o) => o.payload.bodyId,
      ),
      workerId,
    ],
  );
  return opened.map((row) => ({
    attemptId: row.id,
    deliveryId: row.delivery_id,
    attemptNumber: row.attempt_number,
    startedAt: row.started_at,
  }));
}

/** How an attempt ended, and what becomes of its delivery. */
export interface AttemptClosing {
  readonly opened: OpenedAttempt;
  readonly leaseToken: string;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  readonly timings: AttemptTimings;
  readonly answerExcerpt: string | null;
  readonly answerEnding: AnswerEnding | null;
  readonly plan: DeliveryPlan;
  /** Whether our own side failed: counted, to space out what follows. */
  readonly ownFailure: boolean;
}

/** As in a batch of openings, one delivery may be there twice. */
const CLOSE = `
WITH closing AS (
  SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::int[],
                       $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::text[], $15::text[],
                       $16::text[], $17::text[], $18::float8[], $19::bool[], $20::bool[])
    AS c (attempt_id, started_at, delivery_id, lease_token, status, error_code, http_status,
          dns_ms, connect_ms, tls_ms, upload_ms, wait_ms, total_ms, answer_excerpt, answer_ending,
          delivery_status, reason, next_in_ms, spends_retry, own_failure)
),
settled AS (
  UPDATE agent_data_source_delivery d
     SET status = c.delivery_status, reason = c.reason,
         retries_spent = d.retries_spent + c.spends_retry::int,
         own_failures = CASE WHEN c.own_failure THEN ${ONE_MORE_OWN_FAILURE} ELSE 0 END,
         next_attempt_at = now() + c.next_in_ms * interval '1 millisecond',
         last_attempt_status = c.status, last_error_code = c.error_code,
         settled_at = CASE WHEN c.next_in_ms IS NULL THEN now() END,
         lease_token = NULL, lease_expires_at = NULL, updated_at = now()
    FROM closing c
   WHERE d.id = c.delivery_id AND d.lease_token = c.lease_token AND d.status = 'IN_FLIGHT'
  RETURNING c.attempt_id
)
UPDATE agent_data_source_sync a
   SET status = c.status, error_code = c.error_code, http_status = c.http_status, finished_at = now(),
       dns_ms = c.dns_ms, connect_ms = c.connect_ms, tls_ms = c.tls_ms, upload_ms = c.upload_ms,
       wait_ms = c.wait_ms, total_ms = c.total_ms,
       answer_excerpt = c.answer_excerpt, answer_ending = c.answer_ending
  FROM closing c JOIN settled s ON s.attempt_id = c.attempt_id
 WHERE a.id = c.attempt_id AND a.started_at = c.started_at
RETURNING a.id`;

/**
 * Closes attempts and their deliveries in one statement for the whole batch.
 * @returns the ids of the attempts that were closed; one whose lease was taken meanwhile is not among them
 */
export async function closeAttempts(
  database: Database,
  closings: readonly AttemptClosing[],
): Promise<ReadonlySet<string>> {
  const closed = await rows<{ id: string }>(
    database,
    CLOSE,
    columns(
      closings,
      (c) => c.opened.attemptId,
      (c) => c.opened.startedAt,
      (c) => c.opened.deliveryId,
      (c) => c.leaseToken,
      (c) => c.status,
      (c) => c.errorCode,
      (c) => c.httpStatus,
      (c) => c.timings.dnsMs,
      (c) => c.timings.connectMs,
      (c) => c.timings.tlsMs,
      (c) => c.timings.uploadMs,
      (c) => c.timings.waitMs,
      (c) => c.timings.totalMs,
      (c) => c.answerExcerpt,
      (c) => c.answerEnding,
      (c) => c.plan.status,
      (c) => c.plan.reason,
      (c) => c.plan.waitMs,
      (c) => c.plan.spendsRetry,
      (c) => c.ownFailure,
    ),
  );
  return new Set(closed.map((row) => row.id));
}

/** What the sweeper abandons has no duration. */
const ON_RECORD = `
SELECT a.id FROM agent_data_source_sync a
  JOIN unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::int[], $6::int[])
    AS c (attempt_id, started_at, status, error_code, http_status, total_ms)
    ON a.id = c.attempt_id AND a.started_at = c.started_at
 WHERE a.status = c.status AND a.error_code IS NOT DISTINCT FROM c.error_code
   AND a.http_status IS NOT DISTINCT FROM c.http_status AND a.total_ms = c.total_ms`;

/**
 * Which of these endings are on record already: for those that were written, and only the answer was lost.
 * @returns the ids of their attempts
 */
export async function endingsOnRecord(
  database: Database,
  closings: readonly AttemptClosing[],
): Promise<ReadonlySet<string>> {
  const found = await rows<{ id: string }>(
    database,
    ON_RECORD,
    columns(
      closings,
      (c) => c.opened.attemptId,
      (c) => c.opened.startedAt,
      (c) => c.status,
      (c) => c.errorCode,
      (c) => c.httpStatus,
      (c) => c.timings.totalMs,
    ),
  );
  return new Set(found.map((row) => row.id));
}
