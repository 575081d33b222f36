import type { StopSignal } from '../tools/cancellation.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import type { PayloadKey } from './payload-key.js';

/** Bodies deleted per statement, with their chunks. */
const BATCH = 100;

/** Deletes the chosen bodies; a delivery that needs one rebuilds it. */
const REMOVE = `
gone AS (
  DELETE FROM agent_data_source_payload p USING chosen c WHERE p.body_id = c.body_id
  RETURNING p.workspace_id, p.job_id, p.run, p.format, p.body_id, coalesce(p.byte_count, 0) AS byte_count
),
chunks AS (DELETE FROM agent_data_source_payload_chunk k USING gone g WHERE k.body_id = g.body_id)`;

/** What was deleted. */
export interface RemovedPayloads {
  readonly payloads: number;
  readonly bytes: number;
}

/**
 * A body may be deleted when no delivery of its job and recipe has been in flight, or has settled, within the period.
 * Remains of unfinished builds are deleted too; a builder still running starts again.
 */
const EXPIRE = `
WITH candidate AS (
  SELECT p.workspace_id, p.job_id, p.run, p.format, p.body_id, p.created_at FROM agent_data_source_payload p
   WHERE p.created_at < now() - $1::float8 * interval '1 millisecond'
     AND (p.created_at, p.body_id) > ($2::timestamptz, $3::text)
   ORDER BY p.created_at, p.body_id LIMIT $4::int
),
chosen AS (
  SELECT c.body_id FROM candidate c
   WHERE NOT EXISTS (
     SELECT FROM agent_data_source_delivery d
      WHERE d.workspace_id = c.workspace_id AND d.job_id = c.job_id AND d.run = c.run AND d.recipe = c.format
        AND (d.settled_at IS NULL OR d.settled_at >= now() - $1::float8 * interval '1 millisecond'))
),
${REMOVE}
SELECT (SELECT count(*)::int FROM gone) AS payloads, (SELECT coalesce(sum(byte_count), 0)::float8 FROM gone) AS bytes,
       to_char(last.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt",
       last.body_id AS "bodyId"
  FROM (SELECT * FROM candidate ORDER BY created_at DESC, body_id DESC LIMIT 1) last`;

/** Deletes the bytes of jobs whose last delivery settled before the period, by the database's clock. */
export async function expirePayloads(
  database: Database,
  retentionMs: number,
  stop?: StopSignal,
): Promise<RemovedPayloads> {
  const removed = { payloads: 0, bytes: 0 };
  // As text: a JavaScript date would lose the microseconds and read the same rows for ever.
  let last = { createdAt: '-infinity', bodyId: '' };
  while (!stop?.aborted) {
    const [batch] = await database.query<RemovedPayloads & typeof last>(EXPIRE, [
      ...[retentionMs, last.createdAt, last.bodyId, BATCH],
    ]);
    if (!batch) break;
    removed.payloads += batch.payloads;
    removed.bytes += batch.bytes;
    last = batch;
  }
  return removed;
}

const BODY = new BatchColumns<PayloadKey>({
  workspace_id: ['text', (b) => b.workspaceId],
  job_id: ['text', (b) => b.jobId],
  run: ['int', (b) => b.run],
  recipe: ['text', (b) => b.recipe],
});

/** Deletes the bytes of jobs whose deliveries are all delivered. */
export async function removeDeliveredPayloads(database: Database, bodies: readonly PayloadKey[]): Promise<void> {
  await database.execute(
    `WITH chosen AS (
       SELECT p.body_id FROM agent_data_source_payload p
         JOIN (SELECT DISTINCT * FROM ${BODY.unnest('b')}) d
           ON d.workspace_id = p.workspace_id AND d.job_id = p.job_id AND d.run = p.run AND d.recipe = p.format
        WHERE NOT EXISTS (
          SELECT FROM agent_data_source_delivery o
           WHERE o.workspace_id = p.workspace_id AND o.job_id = p.job_id AND o.run = p.run AND o.recipe = p.format
             AND o.status <> 'DELIVERED')
     ),
     ${REMOVE}
     SELECT 1`,
    BODY.valuesOf(bodies),
  );
}

/** A delivery whose bytes were erased. */
export interface ErasedDelivery {
  readonly deliveryId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly bytes: number;
}

/**
 * Erases a batch of bytes of a workspace, or of one of its jobs.
 * @param transaction for its two statements
 * @returns null when there were none
 */
export async function erasePayloadBatch(
  transaction: Database,
  workspaceId: string,
  jobId: string | null,
): Promise<(RemovedPayloads & { readonly deliveries: readonly ErasedDelivery[] }) | null> {
  const erased = await transaction.query<
    Omit<ErasedDelivery, 'deliveryId'> & { bodyId: string; deliveryId: string | null }
  >(
    `WITH chosen AS (
       SELECT p.body_id FROM agent_data_source_payload p
        WHERE p.workspace_id = $1 AND ($2::text IS NULL OR p.job_id = $2)
        LIMIT $3::int FOR UPDATE
     ),
     ${REMOVE}
     SELECT g.body_id AS "bodyId", g.job_id AS "jobId", g.byte_count::float8 AS bytes,
            d.id AS "deliveryId", d.agent_id AS "agentId", d.data_source_id AS "dataSourceId"
       FROM gone g
       LEFT JOIN agent_data_source_delivery d
         ON d.workspace_id = g.workspace_id AND d.job_id = g.job_id AND d.run = g.run AND d.recipe = g.format`,
    [workspaceId, jobId, BATCH],
  );
  if (erased.length === 0) return null;
  const bodies = new Map(erased.map(({ bodyId, bytes }) => [bodyId, bytes]));
  // A second statement: the first may have waited for a builder, and did not see the chunk that it wrote.
  await transaction.execute('DELETE FROM agent_data_source_payload_chunk WHERE body_id = ANY ($1)', [
    [...bodies.keys()],
  ]);
  return {
    payloads: bodies.size,
    bytes: [...bodies.values()].reduce((sum, bytes) => sum + bytes, 0),
    deliveries: erased.flatMap(({ bodyId: _bodyId, deliveryId, ...of }) =>
      deliveryId === null ? [] : [{ deliveryId, ...of }],
    ),
  };
}
