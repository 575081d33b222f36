import type { DisabledReason } from '../core/data-sink.js';
import { columns, type Database, rows } from './database.js';

/** A sink one of whose deliveries has just failed for good. */
export interface FailedSink {
  readonly dataSourceId: string;
  /** It answered 410: it is gone, and says so itself. */
  readonly gone: boolean;
}

export interface DisablingRule {
  /** So many deliveries that failed for good … */
  readonly failures: number;
  /** … within so long disable their sink. */
  readonly withinMs: number;
}

export interface DisabledSink {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly reason: DisabledReason;
  readonly failedDeliveries: number;
}

/**
 * Deliveries that failed on our side (no results, too many lost workers) say nothing of the receiver and do not count, nor
 * do those of before the sink was last made active. The reason is what most of the counted ones ended with.
 */
const DISABLE = `
WITH hit AS (
  SELECT h.id, bool_or(h.gone) AS gone FROM unnest($1::text[], $2::bool[]) AS h (id, gone) GROUP BY h.id
),
judged AS (
  SELECT h.id, h.gone, dead.failures, dead.kind
    FROM hit h
    JOIN agent_data_source s ON s.id = h.id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
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
           WHERE d.data_source_id = h.id AND d.status = 'FAILED' AND d.reason IN ('not_retryable', 'retries_exhausted')
             AND d.settled_at > greatest(now() - $4::float8 * interval '1 millisecond', s.reactivated_at)
           ORDER BY d.settled_at DESC LIMIT $3::int) last
    ) dead
),
convicted AS (
  SELECT j.* FROM judged j JOIN agent_data_source s ON s.id = j.id
   WHERE j.gone OR j.failures >= $3::int ORDER BY s.id FOR NO KEY UPDATE OF s
)
UPDATE agent_data_source s
   SET status = 'DISABLED', disabled_at = now(), updated_at = now(),
       disabled_reason = CASE WHEN j.gone THEN 'RECEIVER_GONE' ELSE j.kind END
  FROM convicted j
 WHERE s.id = j.id AND s.status = 'ACTIVE' AND s.deleted_at IS NULL
RETURNING s.workspace_id, s.agent_id, s.id, s.disabled_reason, j.failures`;

/**
 * Disables those of the sinks that have failed too often, in one statement. Of two workers that see the last failure at
 * the same time one disables; locked in the order of their ids, they do not wait for each other.
 */
export async function disableFailing(
  database: Database,
  sinks: readonly FailedSink[],
  rule: DisablingRule,
): Promise<DisabledSink[]> {
  const disabled = await rows<DisabledRow>(database, DISABLE, [
    ...columns(
      sinks,
      (s) => s.dataSourceId,
      (s) => s.gone,
    ),
    ...[rule.failures, rule.withinMs],
  ]);
  return disabled.map((row) => ({
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    dataSourceId: row.id,
    reason: row.disabled_reason,
    failedDeliveries: row.failures,
  }));
}

interface DisabledRow {
  workspace_id: string;
  agent_id: string;
  id: string;
  disabled_reason: DisabledReason;
  failures: number;
}
