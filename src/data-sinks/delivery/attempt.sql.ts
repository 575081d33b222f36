import type { AttemptClosing } from '../domain/attempt-end.js';
import { auditEnds } from '../database/audit/outbox-entries.js';
import { PUSH_COLUMNS } from '../queue/push-row.js';
import { ONE_MORE_OWN_FAILURE, OWN_FAILING_SINCE } from '../queue/lease.sql.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';

const CLOSING = new BatchColumns<AttemptClosing>({
  attempt_id: ['text', (c) => c.opened.attemptId],
  started_at: ['timestamptz', (c) => c.opened.startedAt],
  delivery_id: ['text', (c) => c.opened.deliveryId],
  lease_token: ['uuid', (c) => c.leaseToken],
  status: ['text', (c) => c.status],
  error_code: ['text', (c) => c.errorCode],
  http_status: ['int', (c) => c.httpStatus],
  dns_ms: ['int', (c) => c.timings.dnsMs],
  connect_ms: ['int', (c) => c.timings.connectMs],
  tls_ms: ['int', (c) => c.timings.tlsMs],
  upload_ms: ['int', (c) => c.timings.uploadMs],
  wait_ms: ['int', (c) => c.timings.waitMs],
  total_ms: ['int', (c) => c.timings.totalMs],
  answer_excerpt: ['text', (c) => c.answerExcerpt],
  answer_ending: ['text', (c) => c.answerEnding],
  delivery_status: ['text', (c) => c.plan.status],
  reason: ['text', (c) => c.plan.reason],
  next_in_ms: ['float8', (c) => c.plan.waitMs],
  spends_retry: ['bool', (c) => c.plan.spendsRetry],
  own_failure: ['bool', (c) => c.ownFailure],
  manifest: ['text', (c) => (c.manifest ? JSON.stringify(c.manifest) : null)],
});

/** One delivery may be in a batch twice, as in one of openings. */
const CLOSE = `
WITH closing AS (
  SELECT * FROM ${CLOSING.few('c')}
),
settled AS (
  UPDATE agent_data_source_delivery d
     SET status = c.delivery_status, reason = c.reason,
         retries_spent = d.retries_spent + c.spends_retry::int,
         own_failures = CASE WHEN c.own_failure THEN ${ONE_MORE_OWN_FAILURE} ELSE 0 END,
         own_failing_since = CASE WHEN c.own_failure THEN ${OWN_FAILING_SINCE} END,
         next_attempt_at = now() + c.next_in_ms * interval '1 millisecond',
         last_attempt_status = c.status, last_error_code = c.error_code,
         settled_at = CASE WHEN c.next_in_ms IS NULL THEN now() END,
         lease_token = NULL, lease_expires_at = NULL, updated_at = now()
    FROM closing c
   WHERE d.id = c.delivery_id AND d.lease_token = c.lease_token AND d.status || '' = 'IN_FLIGHT'
  RETURNING c.attempt_id, ${PUSH_COLUMNS}, d.status, d.reason, c.status AS attempt_status, c.error_code,
            c.http_status::smallint AS http_status
),
${auditEnds('settled', 'd.attempt_status, d.error_code, d.http_status', `d.status <> 'RETRYING'`)}
UPDATE agent_data_source_sync a
   SET status = c.status, error_code = c.error_code, http_status = c.http_status, finished_at = now(),
       dns_ms = c.dns_ms, connect_ms = c.connect_ms, tls_ms = c.tls_ms, upload_ms = c.upload_ms,
       wait_ms = c.wait_ms, total_ms = c.total_ms,
       answer_excerpt = c.answer_excerpt, answer_ending = c.answer_ending, manifest_json = c.manifest::jsonb
  FROM closing c JOIN settled s ON s.attempt_id = c.attempt_id
 WHERE a.id = c.attempt_id AND a.started_at = c.started_at
RETURNING a.id`;

/**
 * Closes attempts and their deliveries, and writes the audit entries of those that ended, in one statement for the whole
 * batch.
 * @returns the ids of the attempts that were closed; one whose lease was taken meanwhile is not among them
 */
export async function closeAttempts(
  database: Database,
  closings: readonly AttemptClosing[],
): Promise<ReadonlySet<string>> {
  const closed = await database.prepared<{ id: string }>(CLOSE, CLOSING.valuesOf(closings));
  return new Set(closed.map((row) => row.id));
}

/** Attempts abandoned by the sweeper have no duration. */
const ON_RECORD = `
SELECT a.id FROM agent_data_source_sync a JOIN ${CLOSING.few('c')}
    ON a.id = c.attempt_id AND a.started_at = c.started_at
 WHERE a.status = c.status AND a.error_code IS NOT DISTINCT FROM c.error_code
   AND a.http_status IS NOT DISTINCT FROM c.http_status AND a.total_ms = c.total_ms`;

/**
 * Finds attempts that are recorded although an earlier try got no answer.
 * @returns the ids of these attempts
 */
export async function endingsOnRecord(
  database: Database,
  closings: readonly AttemptClosing[],
): Promise<ReadonlySet<string>> {
  const found = await database.prepared<{ id: string }>(ON_RECORD, CLOSING.valuesOf(closings));
  return new Set(found.map((row) => row.id));
}
