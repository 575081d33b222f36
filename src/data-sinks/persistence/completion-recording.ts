import type { PayloadFormat } from '../core/data-sink.js';
import type { DeliveryTrigger } from '../core/delivery.js';
import type { JobCompleted } from '../core/job-completed.js';
import { columns, type Database, rows } from './database.js';

/** A delivery to be made for a completion. */
export interface NewDelivery {
  readonly id: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly run: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly format: PayloadFormat;
  readonly retriesAllowed: number;
  /** The name of how its body is made. */
  readonly recipe: string;
  /** From 1. */
  readonly part: number;
  readonly partCount: number;
}

export type NumberedCompletion = JobCompleted & { readonly run: number };

/**
 * Records completions and makes their deliveries, in one statement. A completion that was heard before, by whichever
 * process, makes nothing more: neither a second delivery, nor one for a sink that was added since. A push by hand
 * (`MANUAL`) does not count as hearing it. A sink never gets two deliveries of one part of a job and run, and never some of
 * the parts alone. The last of several parts is not due before the others are delivered.
 * @returns the ids of the deliveries that were made
 */
export async function recordCompletions(
  database: Database,
  trigger: Extract<DeliveryTrigger, 'AUTO' | 'MANUAL'>,
  completions: readonly NumberedCompletion[],
  deliveries: readonly NewDelivery[],
): Promise<string[]> {
  const inParts = deliveries.some(({ partCount }) => partCount > 1);
  const made = await rows<{ id: string }>(database, inParts ? RECORD_IN_PARTS : RECORD, [
    trigger,
    ...columns(
      firstOfEach(completions),
      (c) => c.jobId,
      (c) => c.run,
      (c) => c.workspaceId,
      (c) => c.agentId,
      (c) => c.completedAt,
      (c) => c.stats.total,
      (c) => c.stats.matched,
      (c) => c.stats.unmatched,
      (c) => c.traceContext?.traceparent ?? null,
      (c) => c.traceContext?.tracestate ?? null,
    ),
    ...columns(
      deliveries,
      (d) => d.id,
      (d) => d.dataSourceId,
      (d) => d.jobId,
      (d) => d.run,
      (d) => d.workspaceId,
      (d) => d.agentId,
      (d) => d.format,
      (d) => d.retriesAllowed,
      (d) => d.recipe,
      (d) => d.part,
      (d) => d.partCount,
    ),
  ]);
  return made.map((row) => row.id);
}

/**
 * An event that was emitted twice in one moment is twice in one batch, and no statement can upsert a row twice: it would
 * fail, and the other completions of the batch with it. In the order of their keys: two processes that hear of the same
 * ones must not wait for each other.
 */
function firstOfEach(completions: readonly NumberedCompletion[]): NumberedCompletion[] {
  const byKey = new Map<string, NumberedCompletion>();
  for (const completion of completions) {
    const key = `${completion.run}/${completion.jobId}`;
    if (!byKey.has(key)) byKey.set(key, completion);
  }
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, completion]) => completion);
}

const RECORDED = `
WITH recorded AS (
  INSERT INTO agent_data_source_job AS job
    (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched, traceparent, tracestate, heard_at)
  SELECT c.*, CASE WHEN $1 = 'AUTO' THEN now() END
    FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[],
                $9::bigint[], $10::text[], $11::text[]) AS c
  ON CONFLICT (job_id, run) DO UPDATE SET heard_at = coalesce(job.heard_at, excluded.heard_at),
      traceparent = coalesce(job.traceparent, excluded.traceparent),
      tracestate = CASE WHEN job.traceparent IS NULL THEN excluded.tracestate ELSE job.tracestate END
    WHERE $1 = 'MANUAL' OR job.heard_at IS NULL
  RETURNING job_id, run
)`;

const COLUMNS = `id, data_source_id, job_id, run, workspace_id, agent_id, format, retries_allowed, recipe, part, part_count`;

const WANTED = `
unnest($12::text[], $13::text[], $14::text[], $15::int[], $16::text[], $17::text[], $18::text[], $19::smallint[],
       $20::text[], $21::int[], $22::int[]) AS d (${COLUMNS})`;

const RECORD = `${RECORDED}
INSERT INTO agent_data_source_delivery (${COLUMNS}, trigger, status, next_attempt_at)
SELECT d.*, $1, 'PENDING', now() FROM ${WANTED}
  JOIN recorded r ON r.job_id = d.job_id AND r.run = d.run
ON CONFLICT DO NOTHING
RETURNING id`;

/**
 * Where a sink has the first part of a job already, in however many, it gets none of the others. Parts are due in their
 * order, and the last one when the others are delivered.
 */
const RECORD_IN_PARTS = `${RECORDED},
first AS (
  INSERT INTO agent_data_source_delivery (${COLUMNS}, trigger, status, next_attempt_at)
  SELECT d.*, $1, 'PENDING', now() FROM ${WANTED}
    JOIN recorded r ON r.job_id = d.job_id AND r.run = d.run
   WHERE d.part = 1
  ON CONFLICT DO NOTHING
  RETURNING id, data_source_id, job_id, run
),
others AS (
  INSERT INTO agent_data_source_delivery (${COLUMNS}, trigger, status, next_attempt_at)
  SELECT d.*, $1, 'PENDING', CASE WHEN d.part < d.part_count THEN now() + d.part * interval '1 microsecond' END
    FROM ${WANTED}
    JOIN first f ON f.data_source_id = d.data_source_id AND f.job_id = d.job_id AND f.run = d.run
   WHERE d.part > 1
  ON CONFLICT DO NOTHING
  RETURNING id
)
SELECT id FROM first UNION ALL SELECT id FROM others`;

/** Those of some completions whose automatic deliveries have not been made. */
export async function findUnheard<T extends JobCompleted>(database: Database, completions: readonly T[]): Promise<T[]> {
  const heard = await rows<{ job_id: string; run: number }>(
    database,
    `SELECT j.job_id, j.run FROM agent_data_source_job j
       JOIN unnest($1::text[], $2::int[]) AS c (job_id, run) ON j.job_id = c.job_id AND j.run = c.run
      WHERE j.heard_at IS NOT NULL`,
    columns(
      completions,
      (c) => c.jobId,
      (c) => c.run ?? 1,
    ),
  );
  const keys = new Set(heard.map(({ job_id, run }) => `${run}/${job_id}`));
  return completions.filter(({ jobId, run }) => !keys.has(`${run ?? 1}/${jobId}`));
}
