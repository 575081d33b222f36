import type { PayloadFormat } from '../domain/data-sink.js';
import { keyText } from '../domain/key-text.js';
import type { DeliveryTrigger } from '../domain/trigger.js';
import type { JobCompleted, JobKey } from '../domain/job-completed.js';
import { BatchColumns, type Columns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { SENDING_ORDER, WAITING_ORDER } from '../database/index-orders.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

/** A delivery to be created for a completion. */
export interface NewDelivery {
  readonly id: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly run: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly format: PayloadFormat;
  readonly retriesAllowed: number;
  /** The recipe's name. */
  readonly recipe: string;
  /** From 1. */
  readonly part: number;
  readonly partCount: number;
}

export type NumberedCompletion = JobCompleted & { readonly run: number };

/**
 * Records completions and creates their deliveries in one statement. Idempotent: a completion recorded before, by any
 * process, creates nothing, not even for a sink that was added since. A manual push (`MANUAL`) does not record the
 * completion. A sink never gets two deliveries of the same part of a job and run, and never only some of the parts. The
 * last of several parts is not due before the others are delivered.
 * @returns the ids of the new deliveries
 */
export async function recordCompletions(
  database: Database,
  trigger: Extract<DeliveryTrigger, 'AUTO' | 'MANUAL'>,
  completions: readonly NumberedCompletion[],
  deliveries: readonly NewDelivery[],
): Promise<string[]> {
  const inParts = deliveries.some(({ partCount }) => partCount > 1);
  const record = deliveries.length > A_FEW ? RECORD_MANY : RECORD;
  const parameters = parametersOf(trigger, completions, deliveries);
  const made = await database.prepared<{ id: string }>(inParts ? RECORD_IN_PARTS : record, parameters);
  return made.map((row) => row.id);
}

/** Which of some new deliveries may be leased to this process as they are made, and under which limits. */
export interface LeasingRule {
  /** By the ids of those that may. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly leaseMs: number;
  readonly inFlightPerSink: number;
  readonly inFlightPerWorkspace: number;
}

export interface MadeDelivery {
  readonly id: string;
  readonly leased: boolean;
  /** The database's time, when it was made. */
  readonly at: Date;
}

/**
 * The same for deliveries in one piece, of which it leases those that a claim of this moment would take: nothing waits for
 * their sink, and its cap and its workspace's leave room. One of a job that was pushed by hand before is not leased: what
 * its body is made of is on record already.
 */
export async function recordAndLease(
  database: Database,
  completions: readonly NumberedCompletion[],
  deliveries: readonly NewDelivery[],
  { tokens, leaseMs, inFlightPerSink, inFlightPerWorkspace }: LeasingRule,
): Promise<MadeDelivery[]> {
  const made = await database.prepared<{ id: string; leased: boolean; at_ms: number }>(RECORD_AND_LEASE, [
    'AUTO',
    ...COMPLETION.valuesOf(firstOfEach(completions)),
    ...LEASABLE.valuesOf(deliveries.map((delivery) => ({ ...delivery, leaseToken: tokens.get(delivery.id) ?? null }))),
    ...[leaseMs, inFlightPerSink, inFlightPerWorkspace],
  ]);
  return made.map(({ id, leased, at_ms: atMs }) => ({ id, leased, at: timeOf(atMs) }));
}

function parametersOf(
  trigger: Extract<DeliveryTrigger, 'AUTO' | 'MANUAL'>,
  completions: readonly NumberedCompletion[],
  deliveries: readonly NewDelivery[],
): unknown[] {
  return [trigger, ...COMPLETION.valuesOf(firstOfEach(completions)), ...DELIVERY.valuesOf(deliveries)];
}

/**
 * Removes duplicates: an event emitted twice may be in one batch twice, and a statement cannot upsert a row twice.
 * Sorted by key, so that two processes with the same completions cannot deadlock.
 */
function firstOfEach(completions: readonly NumberedCompletion[]): NumberedCompletion[] {
  const byKey = new Map<string, NumberedCompletion>();
  for (const completion of completions) {
    const key = keyText(completion.workspaceId, completion.jobId, completion.run);
    if (!byKey.has(key)) byKey.set(key, completion);
  }
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, completion]) => completion);
}

const COMPLETION = new BatchColumns<NumberedCompletion>({
  workspace_id: ['text', (c) => c.workspaceId],
  job_id: ['text', (c) => c.jobId],
  run: ['int', (c) => c.run],
  agent_id: ['text', (c) => c.agentId],
  completed_at: ['timestamptz', (c) => c.completedAt],
  total: ['bigint', (c) => c.stats.total],
  matched: ['bigint', (c) => c.stats.matched],
  unmatched: ['bigint', (c) => c.stats.unmatched],
  traceparent: ['text', (c) => c.traceContext?.traceparent ?? null],
  tracestate: ['text', (c) => c.traceContext?.tracestate ?? null],
});

const DELIVERY_COLUMNS = {
  id: ['text', (d) => d.id],
  data_source_id: ['text', (d) => d.dataSourceId],
  job_id: ['text', (d) => d.jobId],
  run: ['int', (d) => d.run],
  workspace_id: ['text', (d) => d.workspaceId],
  agent_id: ['text', (d) => d.agentId],
  format: ['text', (d) => d.format],
  retries_allowed: ['smallint', (d) => d.retriesAllowed],
  recipe: ['text', (d) => d.recipe],
  part: ['int', (d) => d.part],
  part_count: ['int', (d) => d.partCount],
} satisfies Columns<NewDelivery>;
const DELIVERY = new BatchColumns<NewDelivery>(DELIVERY_COLUMNS);
const LEASABLE = new BatchColumns<NewDelivery & { readonly leaseToken: string | null }>({
  ...DELIVERY_COLUMNS,
  lease_token: ['uuid', (d) => d.leaseToken],
});

/**
 * `$1` is the trigger. `recorded` returns the completions that were not received before, or all for a manual push. A
 * completion that a manual push recorded counts as received once its event arrives; the first trace given is kept.
 */
const recorded = (completions: string): string => `
WITH recorded AS (
  INSERT INTO agent_data_source_job AS job (${COMPLETION.names}, heard_at)
  SELECT c.*, CASE WHEN $1 = 'AUTO' THEN now() END FROM ${completions}
  ON CONFLICT (workspace_id, job_id, run) DO UPDATE SET heard_at = coalesce(job.heard_at, excluded.heard_at),
      traceparent = coalesce(job.traceparent, excluded.traceparent),
      tracestate = CASE WHEN job.traceparent IS NULL THEN excluded.tracestate ELSE job.tracestate END
    WHERE $1 = 'MANUAL' OR job.heard_at IS NULL
  RETURNING job.workspace_id, job.job_id, job.run, job.xmax = 0 AS is_new
)`;

const RECORDED = recorded(COMPLETION.unnest('c', 2));
const WANTED = DELIVERY.unnest('d', 2 + COMPLETION.length);

/** Larger batches are planned for their size: the generic plan joins with nested loops. */
const A_FEW = 64;

const record = (completions: string, wanted: string): string => `${completions}
INSERT INTO agent_data_source_delivery (${DELIVERY.names}, trigger, status, next_attempt_at)
SELECT d.*, $1, 'PENDING', now() FROM ${wanted}
  JOIN recorded r ON r.workspace_id = d.workspace_id AND r.job_id = d.job_id AND r.run = d.run
ON CONFLICT DO NOTHING
RETURNING id`;

const RECORD = record(recorded(COMPLETION.few('c', 2)), DELIVERY.few('d', 2 + COMPLETION.length));
const RECORD_MANY = record(RECORDED, WANTED);

/** The time of now, not of the transaction's start, which may be long ago: as a claim tells it. */
const CLOCK = '(now() + (clock_timestamp() - transaction_timestamp()))';

/** Two at the same instant may both fill a cap, as two claims may. */
const RECORD_AND_LEASE = `${recorded(COMPLETION.few('c', 2))},
wanted AS MATERIALIZED (
  SELECT d.*, r.is_new, row_number() OVER (PARTITION BY d.data_source_id ORDER BY d.id) AS of_sink,
         row_number() OVER (PARTITION BY d.workspace_id ORDER BY d.id) AS of_workspace
    FROM ${LEASABLE.few('d', 2 + COMPLETION.length)}
    JOIN recorded r ON r.workspace_id = d.workspace_id AND r.job_id = d.job_id AND r.run = d.run
),
sending AS MATERIALIZED (
  SELECT i.workspace_id, i.data_source_id, count(*) AS deliveries
    FROM (SELECT DISTINCT workspace_id FROM wanted WHERE lease_token IS NOT NULL) w
    CROSS JOIN LATERAL (
      SELECT d.workspace_id, d.data_source_id FROM agent_data_source_delivery d
       WHERE d.status = 'IN_FLIGHT' AND d.workspace_id BETWEEN w.workspace_id AND w.workspace_id
       ${SENDING_ORDER} LIMIT $26::int) i
   GROUP BY i.workspace_id, i.data_source_id
),
judged AS MATERIALIZED (
  SELECT w.*, w.lease_token IS NOT NULL AND w.is_new
         AND w.of_workspace + coalesce((SELECT sum(s.deliveries) FROM sending s WHERE s.workspace_id = w.workspace_id), 0) <= $26::int
         AND w.of_sink + coalesce((SELECT sum(s.deliveries) FROM sending s WHERE s.data_source_id = w.data_source_id), 0) <= $25::int
         AND (SELECT d.data_source_id FROM agent_data_source_delivery d
               WHERE d.status IN ('PENDING', 'RETRYING')
                 AND (d.workspace_id, d.data_source_id) >= (w.workspace_id, w.data_source_id)
                 AND (d.workspace_id, d.data_source_id) <= (w.workspace_id, w.data_source_id)
               ${WAITING_ORDER} LIMIT 1) IS NULL AS leased
    FROM wanted w
)
INSERT INTO agent_data_source_delivery (${DELIVERY.names}, trigger, status, next_attempt_at, lease_token, lease_expires_at)
SELECT ${DELIVERY.names}, $1, CASE WHEN leased THEN 'IN_FLIGHT' ELSE 'PENDING' END, CASE WHEN NOT leased THEN now() END,
       CASE WHEN leased THEN lease_token END,
       CASE WHEN leased THEN ${CLOCK} + $24::int * interval '1 millisecond' END
  FROM judged
ON CONFLICT DO NOTHING
RETURNING id, status = 'IN_FLIGHT' AS leased, ${millisecondsOf(CLOCK)} AS at_ms`;

/**
 * If a sink already has the first part of a job, in any number of parts, it gets none of the others. Parts are due in
 * their order, the last one when the others are delivered.
 */
const RECORD_IN_PARTS = `${RECORDED},
first AS (
  INSERT INTO agent_data_source_delivery (${DELIVERY.names}, trigger, status, next_attempt_at)
  SELECT d.*, $1, 'PENDING', now() FROM ${WANTED}
    JOIN recorded r ON r.workspace_id = d.workspace_id AND r.job_id = d.job_id AND r.run = d.run
   WHERE d.part = 1
  ON CONFLICT DO NOTHING
  RETURNING id, workspace_id, data_source_id, job_id, run
),
others AS (
  INSERT INTO agent_data_source_delivery (${DELIVERY.names}, trigger, status, next_attempt_at)
  SELECT d.*, $1, 'PENDING', CASE WHEN d.part < d.part_count THEN now() + d.part * interval '1 microsecond' END
    FROM ${WANTED}
    JOIN first f ON f.workspace_id = d.workspace_id AND f.data_source_id = d.data_source_id
     AND f.job_id = d.job_id AND f.run = d.run
   WHERE d.part > 1
  ON CONFLICT DO NOTHING
  RETURNING id
)
SELECT id FROM first UNION ALL SELECT id FROM others`;

const KEY = new BatchColumns<JobCompleted>({
  workspace_id: ['text', (c) => c.workspaceId],
  job_id: ['text', (c) => c.jobId],
  run: ['int', (c) => c.run ?? 1],
});

/** Completions, among those given, whose automatic deliveries have not been created. */
export async function findUnheard<T extends JobCompleted>(database: Database, completions: readonly T[]): Promise<T[]> {
  const heard = await database.query<JobKey>(
    `SELECT j.workspace_id AS "workspaceId", j.job_id AS "jobId", j.run FROM agent_data_source_job j
       JOIN ${KEY.unnest('c')} USING (workspace_id, job_id, run)
      WHERE j.heard_at IS NOT NULL`,
    KEY.valuesOf(completions),
  );
  const keys = new Set(heard.map((row) => keyText(row.workspaceId, row.jobId, row.run)));
  return completions.filter(({ workspaceId, jobId, run }) => !keys.has(keyText(workspaceId, jobId, run ?? 1)));
}
