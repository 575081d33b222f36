import type { DisabledReason } from '../domain/data-sink.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';

/** A delivery that has just failed because of its receiver. */
export interface FailedDelivery {
  readonly deliveryId: string;
  readonly dataSourceId: string;
  /** The receiver answered 410. */
  readonly gone: boolean;
}

export interface DisablingRule {
  /** Number of failed deliveries in a row that disables a sink … */
  readonly failures: number;
  /** … once the first of them failed at least this many milliseconds ago. */
  readonly afterMs: number;
  /** How long attempts are retained, in milliseconds. Older successes are unknown. */
  readonly attemptRetentionMs: number;
}

export interface DisabledSink {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly reason: DisabledReason;
  readonly failedDeliveries: number;
  readonly type: string;
}

const FAILED = new BatchColumns<FailedDelivery>({
  delivery_id: ['text', (f) => f.deliveryId],
  sink_id: ['text', (f) => f.dataSourceId],
  gone: ['bool', (f) => f.gone],
});

/** Failures on our side (no results, too many crashes) do not count. */
const FAILED_BY_RECEIVER = `d.status = 'FAILED' AND d.reason IN ('not_retryable', 'retries_exhausted')`;

/** Successes are looked up by attempt id, which is ordered by start time. */
const OVERLAPPING_SUCCESSES = 100;

/**
 * - hit: the sinks in question. A 410 from before the last reactivation does not count.
 * - suspect: those with a failure that is old enough (cheap check first), and since when failures count: the last
 *   reactivation or success. Successes are read from attempts, because a redelivered delivery loses its status
 *   DELIVERED. The last attempt to start need not be the last to finish.
 * - judged: the number of failures in a row, their most frequent reason, and whether the first is old enough. A failure
 *   recorded at the same time as a success does not count.
 * - convicted: locked in the order of their ids. A sink that was disabled and reactivated while this statement waited
 *   for its lock is skipped.
 */
const DISABLE = `
WITH hit AS (
  SELECT s.id, s.reactivated_at,
         coalesce(bool_or(f.gone AND d.settled_at > coalesce(s.reactivated_at, '-infinity')), false) AS gone
    FROM ${FAILED.unnest('f')}
    JOIN agent_data_source s ON s.id = f.sink_id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
    JOIN agent_data_source_delivery d ON d.id = f.delivery_id
   GROUP BY s.id, s.reactivated_at
),
suspect AS (
  SELECT h.id, h.reactivated_at, h.gone,
         greatest(h.reactivated_at, now() - $6::float8 * interval '1 millisecond',
                  (SELECT max(a.finished_at)
                     FROM (SELECT finished_at FROM agent_data_source_sync
                            WHERE data_source_id = h.id AND status = 'SUCCEEDED'
                            ORDER BY id DESC LIMIT ${OVERLAPPING_SUCCESSES}) a)) AS counts_from
    FROM hit h
   WHERE h.gone OR EXISTS (
           SELECT FROM agent_data_source_delivery d
            WHERE d.data_source_id = h.id AND ${FAILED_BY_RECEIVER}
              AND d.settled_at > coalesce(h.reactivated_at, '-infinity')
              AND d.settled_at <= now() - $5::float8 * interval '1 millisecond')
),
judged AS (
  SELECT h.id, h.reactivated_at, h.gone, dead.failures, dead.kind,
         EXISTS (SELECT FROM agent_data_source_delivery d
                  WHERE d.data_source_id = h.id AND ${FAILED_BY_RECEIVER} AND d.settled_at > h.counts_from
                    AND d.settled_at <= now() - $5::float8 * interval '1 millisecond') AS lasts
    FROM suspect h
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS failures, mode() WITHIN GROUP (ORDER BY last.kind) AS kind
        FROM (
          SELECT CASE
                   WHEN d.last_attempt_status = 'HTTP_5XX' THEN 'REPEATED_5XX'
                   WHEN d.last_attempt_status NOT IN ('HTTP_3XX', 'HTTP_4XX') THEN 'REPEATED_NETWORK_FAILURE'
                   WHEN (SELECT a.http_status FROM agent_data_source_sync a WHERE a.delivery_id = d.id
                          ORDER BY a.attempt_number DESC LIMIT 1) IN (401, 403) THEN 'REPEATED_AUTH_FAILURE'
                   ELSE 'REPEATED_REJECTION'
                 END AS kind
            FROM agent_data_source_delivery d
           WHERE d.data_source_id = h.id AND ${FAILED_BY_RECEIVER} AND d.settled_at > h.counts_from
           ORDER BY d.settled_at DESC LIMIT $4::int) last
    ) dead
),
convicted AS (
  SELECT j.* FROM judged j JOIN agent_data_source s ON s.id = j.id
   WHERE (j.gone OR (j.failures >= $4::int AND j.lasts))
     AND s.status = 'ACTIVE' AND s.reactivated_at IS NOT DISTINCT FROM j.reactivated_at
   ORDER BY s.id FOR NO KEY UPDATE OF s
)
UPDATE agent_data_source s
   SET status = 'DISABLED', disabled_at = now(), updated_at = now(),
       disabled_reason = CASE WHEN j.gone THEN 'RECEIVER_GONE' ELSE j.kind END
  FROM convicted j
 WHERE s.id = j.id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
RETURNING s.workspace_id AS "workspaceId", s.agent_id AS "agentId", s.id AS "dataSourceId", s.type, s.disabled_reason AS reason,
          j.failures AS "failedDeliveries"`;

/**
 * Disables sinks whose receivers keep failing, or are gone (contract, section 8). One statement that reads only
 * recorded facts: it does not matter which process recorded them, or whether one crashed in between. Of two workers
 * that see the last failure, only one disables the sink.
 */
export async function disableFailing(
  database: Database,
  failed: readonly FailedDelivery[],
  rule: DisablingRule,
): Promise<DisabledSink[]> {
  return database.prepared<DisabledSink>(DISABLE, [
    ...FAILED.valuesOf(failed),
    ...[rule.failures, rule.afterMs, rule.attemptRetentionMs],
  ]);
}
