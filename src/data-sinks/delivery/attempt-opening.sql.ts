import type { OpenedAttempt } from '../domain/attempt-end.js';
import type { StoredPayload } from '../domain/claimed-delivery.js';
import { storeWholes, type UnstoredBody, WHOLES } from '../payload/whole-payload.sql.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

/** An attempt about to be made. */
export interface AttemptOpening {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly leaseToken: string;
  readonly url: string;
  readonly authScheme: string;
  readonly configVersion: number;
  /** Whether its sink was read before the delivery was committed: then it is looked at once more. */
  readonly handedOver: boolean;
  readonly payload: StoredPayload;
  /** The body itself, where it is not stored yet: this statement does. */
  readonly unstored: UnstoredBody | null;
}

const OPENING = new BatchColumns<AttemptOpening>({
  attempt_id: ['text', (o) => o.attemptId],
  delivery_id: ['text', (o) => o.deliveryId],
  lease_token: ['uuid', (o) => o.leaseToken],
  url: ['text', (o) => o.url],
  auth_scheme: ['text', (o) => o.authScheme],
  config_version: ['int', (o) => o.configVersion],
  sha256: ['bytea', (o) => Buffer.from(o.payload.sha256, 'hex')],
  bytes: ['bigint', (o) => o.payload.bytes],
  row_count: ['bigint', (o) => o.payload.rows],
  body_id: ['text', (o) => o.payload.bodyId],
  handed_over: ['bool', (o) => o.handedOver],
});

/**
 * `$1` is the worker. Whole milliseconds, so that the key survives the way through a JavaScript Date. One delivery may be
 * in a batch twice, under the lease that was lost and under the one that its worker holds now: each attempt stands for
 * itself.
 * @param storing CTEs before it
 * @param condition for opening an attempt, besides its lease
 */
const open = (storing: string, condition: string): string => `
WITH ${storing}opening AS (
  SELECT * FROM ${OPENING.few('o', 2)}
),
counted AS (
  UPDATE agent_data_source_delivery d
     SET attempt_count = d.attempt_count + 1, updated_at = now(),
         payload_previous_sha256 = CASE WHEN d.payload_body_id <> o.body_id THEN d.payload_sha256
                                        ELSE d.payload_previous_sha256 END,
         payload_body_id = o.body_id, payload_sha256 = o.sha256, payload_bytes = o.bytes, payload_rows = o.row_count
    FROM opening o
   WHERE d.id = o.delivery_id AND d.lease_token = o.lease_token AND d.status || '' = 'IN_FLIGHT'
     AND (NOT o.handed_over OR (
       SELECT true FROM agent_data_source s WHERE s.id = d.data_source_id AND s.config_version = o.config_version
          AND s.status = 'ACTIVE' AND s.deleted_at IS NULL))${condition}
  RETURNING o.attempt_id, d.id, d.workspace_id, d.agent_id, d.data_source_id, d.job_id, d.trigger, d.attempt_count
)
INSERT INTO agent_data_source_sync
  (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status,
   url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
SELECT o.attempt_id, date_trunc('milliseconds', now()), c.id, c.data_source_id, c.workspace_id, c.agent_id, c.job_id,
       c.attempt_count, c.trigger, 'IN_FLIGHT', o.url, o.auth_scheme, o.config_version, o.sha256, o.bytes, $1
  FROM opening o JOIN counted c ON c.attempt_id = o.attempt_id
RETURNING id, delivery_id, attempt_number, ${millisecondsOf('started_at')} AS started_ms`;

const OPEN = open('', '');

/**
 * The same, with bodies that are not stored yet. An attempt of a body that another process has stored meanwhile, in bytes
 * of its own, is not opened.
 */
const STORE_AND_OPEN = open(
  `${storeWholes(2 + OPENING.length)},
`,
  `
     AND (NOT EXISTS (SELECT FROM made m WHERE m.body_id = o.body_id)
          OR EXISTS (SELECT FROM stored s WHERE s.body_id = o.body_id))`,
);

/**
 * Writes the attempt rows before their requests leave, and stores the bodies that are not stored yet. An attempt whose
 * lease was lost meanwhile, or whose body was stored by somebody else, is not among the answers and must not be sent.
 */
export async function openAttempts(
  database: Database,
  workerId: string,
  openings: readonly AttemptOpening[],
): Promise<OpenedAttempt[]> {
  const bodies = [...new Set(openings.flatMap(({ unstored }) => unstored ?? []))];
  const opened = await database.prepared<{
    id: string;
    delivery_id: string;
    attempt_number: number;
    started_ms: number;
  }>(bodies.length > 0 ? STORE_AND_OPEN : OPEN, [
    workerId,
    ...OPENING.valuesOf(openings),
    ...(bodies.length > 0 ? WHOLES.valuesOf(bodies) : []),
  ]);
  return opened.map((row) => ({
    attemptId: row.id,
    deliveryId: row.delivery_id,
    attemptNumber: row.attempt_number,
    startedAt: timeOf(row.started_ms),
  }));
}
