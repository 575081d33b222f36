import type { StoredPayload } from '../domain/claimed-delivery.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { PayloadKey } from './payload-key.js';

/** A small body that is stored with the attempt that is the first to send it: one commit less. */
export interface UnstoredBody {
  readonly key: PayloadKey;
  readonly payload: StoredPayload;
  /** As it is to be stored. */
  readonly chunk: Buffer;
}

/** Bodies of one chunk. */
export const WHOLES = new BatchColumns<UnstoredBody>({
  workspace_id: ['text', ({ key }) => key.workspaceId],
  job_id: ['text', ({ key }) => key.jobId],
  run: ['int', ({ key }) => key.run],
  format: ['text', ({ key }) => key.recipe],
  body_id: ['text', ({ payload }) => payload.bodyId],
  sha256: ['bytea', ({ payload }) => Buffer.from(payload.sha256, 'hex')],
  byte_count: ['bigint', ({ payload }) => payload.bytes],
  row_count: ['bigint', ({ payload }) => payload.rows],
  bytes: ['bytea', ({ chunk }) => chunk],
});

/**
 * CTEs that store bodies of one chunk; `stored` has the `body_id` of those that are stored now, the others are stored or
 * being built by somebody else. In the order of their keys: two processes that store bodies of the same jobs wait for each
 * other in one direction. The same body may be stored twice, its first answer lost.
 * @param first number of the first parameter
 */
export const storeWholes = (first: number): string => `
made AS (
  SELECT * FROM ${WHOLES.few('m', first)}
),
stored AS (
  INSERT INTO agent_data_source_payload AS p
    (workspace_id, job_id, run, format, body_id, ready, sha256, byte_count, row_count)
  SELECT workspace_id, job_id, run, format, body_id, true, sha256, byte_count, row_count
    FROM made ORDER BY workspace_id, job_id, run, format
  ON CONFLICT (workspace_id, job_id, run, format) DO UPDATE
    SET body_id = excluded.body_id, ready = true, building_until = NULL,
        sha256 = excluded.sha256, byte_count = excluded.byte_count, row_count = excluded.row_count
    WHERE p.body_id = excluded.body_id OR (NOT p.ready AND p.building_until < now())
  RETURNING body_id
),
chunk AS (
  INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
  SELECT m.body_id, 0, m.bytes FROM made m JOIN stored s ON s.body_id = m.body_id
  ON CONFLICT DO NOTHING
)`;
