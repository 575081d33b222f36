import type { AttemptErrorCode, AttemptStatus } from '../domain/attempt.js';
import type { DeliveryReason, SettledStatus } from '../domain/delivery.js';
import type { DataSinkPushEvent } from '../domain/domain-events.js';
import { idFrom } from '../domain/ids.js';
import type { Database } from '../database/database.js';
import { millisecondsOf } from '../database/value-parsers.js';
import { type PushRow, toPush } from '../queue/push-row.js';

/** The end of a delivery, as it waits in the outbox. */
export interface AuditedEnd {
  readonly seq: string;
  /** Of the entry: the same however often it is written. */
  readonly auditId: string;
  readonly push: DataSinkPushEvent;
  readonly status: SettledStatus;
  readonly reason: DeliveryReason | null;
  readonly attempt: EndingAttempt | null;
}

/** The attempt that ended a delivery. */
export interface EndingAttempt {
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  /** Null when there was no answer. */
  readonly httpStatus: number | null;
}

/** The oldest first, along the key. What another process has taken is passed by, until its time is over. */
const TAKE = `
WITH free AS MATERIALIZED (
  SELECT o.seq FROM agent_data_source_audit_outbox o
   WHERE (o.taken_until > now()) IS NOT TRUE ORDER BY o.seq LIMIT $1::int FOR UPDATE SKIP LOCKED
)
UPDATE agent_data_source_audit_outbox d SET taken_until = now() + $2::int * interval '1 millisecond'
 WHERE d.seq = ANY (ARRAY(SELECT seq FROM free))
RETURNING d.seq, ${millisecondsOf('d.ended_at')} AS ended_ms, d.delivery_id AS id, d.workspace_id, d.agent_id, d.data_source_id,
          d.job_id, d.run, d.recipe, d.trigger, d.attempt_count, d.status, d.reason, d.attempt_status, d.error_code, d.http_status`;

/** @returns entries that nobody else writes for so long, in the order in which their deliveries ended */
export async function takeEnds(database: Database, limit: number, takenMs: number): Promise<AuditedEnd[]> {
  const taken = await database.prepared<EndRow>(TAKE, [limit, takenMs]);
  return taken.map(toEnd).sort((one, other) => Number(one.seq) - Number(other.seq));
}

/** Once they are in the trail. */
export async function removeEnds(database: Database, ends: readonly AuditedEnd[]): Promise<void> {
  await database.prepared('DELETE FROM agent_data_source_audit_outbox WHERE seq = ANY ($1::bigint[])', [
    ends.map(({ seq }) => seq),
  ]);
}

/** So that the next look takes them at once, whoever looks. */
export async function giveBackEnds(database: Database, ends: readonly AuditedEnd[]): Promise<void> {
  await database.prepared(
    'UPDATE agent_data_source_audit_outbox SET taken_until = NULL WHERE seq = ANY ($1::bigint[])',
    [ends.map(({ seq }) => seq)],
  );
}

interface EndRow extends PushRow {
  seq: string;
  ended_ms: number;
  status: SettledStatus;
  reason: DeliveryReason | null;
  attempt_status: AttemptStatus | null;
  error_code: AttemptErrorCode | null;
  http_status: number | null;
}

function toEnd(row: EndRow): AuditedEnd {
  const { seq, attempt_status: status, error_code: errorCode, http_status: httpStatus } = row;
  return {
    ...{ seq, auditId: idFrom('audit', row.ended_ms, BigInt(seq)), push: toPush(row) },
    ...{ status: row.status, reason: row.reason },
    attempt: status === null ? null : { status, errorCode, httpStatus },
  };
}
