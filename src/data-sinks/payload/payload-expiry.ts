import type { EntityManager } from 'typeorm';
import type { StopSignal } from '../core/cancellation.js';

/** Bodies removed by one statement, their chunks with them. */
const BATCH = 100;

/** Removes the chosen bodies; whoever is about to send one finds it gone and makes it again. */
const REMOVE = `
gone AS (
  DELETE FROM agent_data_source_payload p USING chosen c WHERE p.body_id = c.body_id
  RETURNING p.job_id, p.run, p.format, p.body_id, coalesce(p.byte_count, 0) AS byte_count
),
chunks AS (DELETE FROM agent_data_source_payload_chunk k USING gone g WHERE k.body_id = g.body_id)`;

/** What was removed. */
export interface RemovedPayloads {
  readonly payloads: number;
  readonly bytes: number;
}

/**
 * The bytes of a job and recipe may go once no delivery of them has been under way or settled for so long. What a build
 * left that was never finished goes with them; a builder that is still at it begins anew.
 */
const EXPIRE = `
WITH candidate AS (
  SELECT p.job_id, p.run, p.format, p.body_id, p.created_at FROM agent_data_source_payload p
   WHERE p.created_at < now() - $1::float8 * interval '1 millisecond'
     AND (p.created_at, p.body_id) > ($2::timestamptz, $3::text)
   ORDER BY p.created_at, p.body_id LIMIT $4::int
),
chosen AS (
  SELECT c.body_id FROM candidate c
   WHERE NOT EXISTS (
     SELECT FROM agent_data_source_delivery d
      WHERE d.job_id = c.job_id AND d.run = c.run AND d.recipe = c.format
        AND (d.settled_at IS NULL OR d.settled_at >= now() - $1::float8 * interval '1 millisecond'))
),
${REMOVE}
SELECT (SELECT count(*)::int FROM gone) AS payloads, (SELECT coalesce(sum(byte_count), 0)::float8 FROM gone) AS bytes,
       last.created_at::text AS created_at, last.body_id
  FROM (SELECT * FROM candidate ORDER BY created_at DESC, body_id DESC LIMIT 1) last`;

/** Removes the bytes of jobs whose last delivery settled so long ago, by the database's clock. */
export async function expirePayloads(
  manager: EntityManager,
  retentionMs: number,
  stop?: StopSignal,
): Promise<RemovedPayloads> {
  const removed = { payloads: 0, bytes: 0 };
  // As text: a JavaScript date would lose the microseconds and read the same rows for ever.
  let last = { created_at: '-infinity', body_id: '' };
  while (!stop?.aborted) {
    const [batch] = (await manager.query(EXPIRE, [
      retentionMs,
      last.created_at,
      last.body_id,
      BATCH,
    ])) as ExpiredBatch[];
    if (!batch) break;
    removed.payloads += batch.payloads;
    removed.bytes += batch.bytes;
    last = batch;
  }
  return removed;
}

interface ExpiredBatch extends RemovedPayloads {
  readonly created_at: string;
  readonly body_id: string;
}

/** A body, by what it is of. */
export interface DeliveredBody {
  readonly jobId: string;
  readonly run: number;
  readonly recipe: string;
}

/** Removes the bytes of those jobs all of whose deliveries were delivered. */
export async function removeDeliveredPayloads(manager: EntityManager, bodies: readonly DeliveredBody[]): Promise<void> {
  await manager.query(
    `WITH chosen AS (
       SELECT p.body_id FROM agent_data_source_payload p
         JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::int[], $3::text[]) AS d (job_id, run, recipe)) d
           ON d.job_id = p.job_id AND d.run = p.run AND d.recipe = p.format
        WHERE NOT EXISTS (
          SELECT FROM agent_data_source_delivery o
           WHERE o.job_id = p.job_id AND o.run = p.run AND o.recipe = p.format AND o.status <> 'DELIVERED')
     ),
     ${REMOVE}
     SELECT 1`,
    [bodies.map((b) => b.jobId), bodies.map((b) => b.run), bodies.map((b) => b.recipe)],
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
 * Erases some of the bytes of a workspace, or of one of its jobs.
 * @param transaction what it removes goes in two statements
 * @returns null when there were none
 */
export async function erasePayloadBatch(
  transaction: EntityManager,
  workspaceId: string,
  jobId: string | null,
): Promise<(RemovedPayloads & { readonly deliveries: readonly ErasedDelivery[] }) | null> {
  const erased = (await transaction.query(
    `WITH chosen AS (
       SELECT p.body_id FROM agent_data_source_payload p
         JOIN agent_data_source_job j ON j.job_id = p.job_id AND j.run = p.run
        WHERE j.workspace_id = $1 AND ($2::text IS NULL OR p.job_id = $2)
        LIMIT $3::int FOR UPDATE OF p
     ),
     ${REMOVE}
     SELECT g.body_id, g.job_id, g.byte_count::float8 AS bytes, d.id, d.agent_id, d.data_source_id
       FROM gone g
       LEFT JOIN agent_data_source_delivery d ON d.job_id = g.job_id AND d.run = g.run AND d.recipe = g.format`,
    [workspaceId, jobId, BATCH],
  )) as ErasedRow[];
  if (erased.length === 0) return null;
  const bodies = new Map(erased.map((row) => [row.body_id, row.bytes]));
  // Anew: the statement may have waited for a builder, and did not see the chunk which that one had just written.
  await transaction.query('DELETE FROM agent_data_source_payload_chunk WHERE body_id = ANY ($1)', [[...bodies.keys()]]);
  return {
    payloads: bodies.size,
    bytes: [...bodies.values()].reduce((sum, bytes) => sum + bytes, 0),
    deliveries: erased.flatMap(({ id, agent_id, data_source_id, job_id, bytes }) =>
      id === null ? [] : [{ deliveryId: id, agentId: agent_id, dataSourceId: data_source_id, jobId: job_id, bytes }],
    ),
  };
}

interface ErasedRow {
  body_id: string;
  job_id: string;
  bytes: number;
  id: string | null;
  agent_id: string;
  data_source_id: string;
}
