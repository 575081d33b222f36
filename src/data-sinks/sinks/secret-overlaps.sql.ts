import type { DataSink } from '../domain/data-sink.js';
import type { Database } from '../database/database.js';
import { millisecondsOf, type TimesAsNumbers, withTimes } from '../database/value-parsers.js';

/**
 * Replaces the secret of a sink that has not changed since it was read. The replaced secret keeps signing during the
 * overlap; any earlier one stops. A sink never has more than two.
 * @param overlapSeconds 0 for none
 * @returns the ids of the retired secrets, or null when the sink was changed or deleted meanwhile and nothing was
 *   written
 */
export async function rotateSecret(
  database: Database,
  sink: Pick<DataSink, 'workspaceId' | 'id' | 'configVersion'>,
  secret: Pick<DataSink['secret'], 'id' | 'hint'>,
  overlapSeconds: number,
): Promise<string[] | null> {
  const [before] = await database.query<{ secretId: string; previousSecretId: string | null }>(
    `WITH before AS (
       SELECT id, secret_id, secret_hint, previous_secret_id FROM agent_data_source
        WHERE id = $1 AND workspace_id = $6 AND config_version = $2 AND deleted_at IS NULL FOR UPDATE
     )
     UPDATE agent_data_source s
        SET secret_id = $3, secret_hint = $4, secret_created_at = now(),
            previous_secret_id = CASE WHEN $5::int > 0 THEN b.secret_id END,
            previous_secret_hint = CASE WHEN $5::int > 0 THEN b.secret_hint END,
            previous_secret_expires_at = CASE WHEN $5::int > 0 THEN now() + $5::int * interval '1 second' END,
            previous_secret_told_at = NULL,
            config_version = s.config_version + 1, updated_at = now()
       FROM before b WHERE s.id = b.id
     RETURNING b.secret_id AS "secretId", b.previous_secret_id AS "previousSecretId"`,
    [sink.id, sink.configVersion, secret.id, secret.hint, overlapSeconds, sink.workspaceId],
  );
  if (!before) return null;
  const retired = [overlapSeconds > 0 ? null : before.secretId, before.previousSecretId];
  return retired.filter((id) => id !== null);
}

/**
 * Ends an overlap, even before its time.
 * @param secretId end it only if this is still the previous secret
 * @returns the id of the retired secret; null when there was none. Of two concurrent callers, one gets it
 */
export async function endOverlap(
  database: Database,
  sink: Pick<DataSink, 'workspaceId' | 'id'>,
  secretId?: string,
): Promise<string | null> {
  const [before] = await database.query<{ secretId: string }>(
    `WITH before AS (
       SELECT id, previous_secret_id FROM agent_data_source
        WHERE id = $1 AND workspace_id = $3 AND previous_secret_id = coalesce($2, previous_secret_id) FOR UPDATE
     )
     UPDATE agent_data_source s
        SET previous_secret_id = NULL, previous_secret_hint = NULL, previous_secret_expires_at = NULL,
            previous_secret_told_at = NULL
       FROM before b WHERE s.id = b.id
     RETURNING b.previous_secret_id AS "secretId"`,
    [sink.id, secretId ?? null, sink.workspaceId],
  );
  return before?.secretId ?? null;
}

/** A rotated secret and its sink. */
export interface PreviousSecretOfSink {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly secretId: string;
  readonly expiresAt: Date;
}

/** Overlaps whose time has passed, longest ago first. */
export async function listEndedOverlaps(database: Database, limit: number): Promise<PreviousSecretOfSink[]> {
  const found = await database.query<TimesAsNumbers<PreviousSecretOfSink>>(
    `SELECT ${OVERLAP} FROM agent_data_source s
      WHERE s.previous_secret_expires_at <= now() ORDER BY s.previous_secret_expires_at LIMIT $1`,
    [limit],
  );
  return found.map((overlap) => withTimes<PreviousSecretOfSink>(overlap, 'expiresAt'));
}

/** Marks overlaps that end within this time, each only once. @returns those that this call marked */
export async function markEndingOverlaps(database: Database, withinMs: number): Promise<PreviousSecretOfSink[]> {
  const marked = await database.query<TimesAsNumbers<PreviousSecretOfSink>>(
    `UPDATE agent_data_source s SET previous_secret_told_at = now()
      WHERE s.previous_secret_expires_at <= now() + $1::float8 * interval '1 millisecond'
        AND s.previous_secret_told_at IS NULL
     RETURNING ${OVERLAP}`,
    [withinMs],
  );
  return marked.map((overlap) => withTimes<PreviousSecretOfSink>(overlap, 'expiresAt'));
}

const OVERLAP = `s.id AS "dataSourceId", s.workspace_id AS "workspaceId", s.agent_id AS "agentId",
  s.previous_secret_id AS "secretId", ${millisecondsOf('s.previous_secret_expires_at')} AS "expiresAt"`;
