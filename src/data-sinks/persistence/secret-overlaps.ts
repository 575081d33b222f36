import type { DataSink } from '../core/data-sink.js';
import { type Database, rows } from './database.js';

/**
 * Puts a secret in force, as its sink was read. The one before goes on for the overlap; a third there never is.
 * @param overlapSeconds 0 for none
 * @returns the ids of the secrets that are in force no more, or null when the sink was changed or deleted since, and
 *   nothing was written
 */
export async function rotateSecret(
  database: Database,
  sink: Pick<DataSink, 'id' | 'configVersion'>,
  secret: Pick<DataSink['secret'], 'id' | 'hint'>,
  overlapSeconds: number,
): Promise<string[] | null> {
  const [before] = await rows<{ secret_id: string; previous_secret_id: string | null }>(
    database,
    `WITH before AS (
       SELECT id, secret_id, secret_hint, previous_secret_id FROM agent_data_source
        WHERE id = $1 AND config_version = $2 AND deleted_at IS NULL FOR UPDATE
     )
     UPDATE agent_data_source s
        SET secret_id = $3, secret_hint = $4, secret_created_at = now(),
            previous_secret_id = CASE WHEN $5::int > 0 THEN b.secret_id END,
            previous_secret_hint = CASE WHEN $5::int > 0 THEN b.secret_hint END,
            previous_secret_expires_at = CASE WHEN $5::int > 0 THEN now() + $5::int * interval '1 second' END,
            previous_secret_told_at = NULL,
            config_version = s.config_version + 1, updated_at = now()
       FROM before b WHERE s.id = b.id
     RETURNING b.secret_id, b.previous_secret_id`,
    [sink.id, sink.configVersion, secret.id, secret.hint, overlapSeconds],
  );
  if (!before) return null;
  const retired = [overlapSeconds > 0 ? null : before.secret_id, before.previous_secret_id];
  return retired.filter((id) => id !== null);
}

/**
 * Ends an overlap, whether its time is over or not.
 * @param secretId ends it only if this is still the secret before
 * @returns the id of the secret that is in force no more; null when there was none. Of two callers one gets it
 */
export async function endOverlap(database: Database, sinkId: string, secretId?: string): Promise<string | null> {
  const [before] = await rows<{ previous_secret_id: string }>(
    database,
    `WITH before AS (
       SELECT id, previous_secret_id FROM agent_data_source
        WHERE id = $1 AND previous_secret_id = coalesce($2, previous_secret_id) FOR UPDATE
     )
     UPDATE agent_data_source s
        SET previous_secret_id = NULL, previous_secret_hint = NULL, previous_secret_expires_at = NULL,
            previous_secret_told_at = NULL
       FROM before b WHERE s.id = b.id
     RETURNING b.previous_secret_id`,
    [sinkId, secretId ?? null],
  );
  return before?.previous_secret_id ?? null;
}

/** A secret that was rotated away, and whose it was. */
export interface PreviousSecretOfSink {
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly secretId: string;
  readonly expiresAt: Date;
}

/** Those whose overlap is over, longest first. */
export async function listEndedOverlaps(database: Database, limit: number): Promise<PreviousSecretOfSink[]> {
  const found = await rows<OverlapRow>(
    database,
    `SELECT ${OVERLAP_COLUMNS} FROM agent_data_source s
      WHERE s.previous_secret_expires_at <= now() ORDER BY s.previous_secret_expires_at LIMIT $1`,
    [limit],
  );
  return found.map(toPreviousSecret);
}

/** Marks the overlaps that end within so long, each once. @returns those that this call marked */
export async function markEndingOverlaps(database: Database, withinMs: number): Promise<PreviousSecretOfSink[]> {
  const marked = await rows<OverlapRow>(
    database,
    `UPDATE agent_data_source s SET previous_secret_told_at = now()
      WHERE s.previous_secret_expires_at <= now() + $1::float8 * interval '1 millisecond'
        AND s.previous_secret_told_at IS NULL
     RETURNING ${OVERLAP_COLUMNS}`,
    [withinMs],
  );
  return marked.map(toPreviousSecret);
}

const OVERLAP_COLUMNS = 's.id, s.workspace_id, s.agent_id, s.previous_secret_id, s.previous_secret_expires_at';

interface OverlapRow {
  id: string;
  workspace_id: string;
  agent_id: string;
  previous_secret_id: string;
  previous_secret_expires_at: Date;
}

function toPreviousSecret(row: OverlapRow): PreviousSecretOfSink {
  return {
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    dataSourceId: row.id,
    secretId: row.previous_secret_id,
    expiresAt: row.previous_secret_expires_at,
  };
}
