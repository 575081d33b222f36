import type { Database } from '../database/database.js';
import type { SecretRef } from '../ports/secret-vault.js';
import type { SealedSecret } from './envelope.js';

export interface SecretRow extends SealedSecret {
  readonly id: string;
  readonly workspaceId: string;
}

const COLUMNS = 's.id, s.workspace_id AS "workspaceId", s.key_id AS "keyId", s.ciphertext';

/** @returns false when the id is taken */
export async function insertSecret(database: Database, ref: SecretRef, sealed: SealedSecret): Promise<boolean> {
  const made = await database.prepared(
    `INSERT INTO agent_data_source_secret (id, workspace_id, key_id, ciphertext) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [ref.secretId, ref.workspaceId, sealed.keyId, sealed.ciphertext],
  );
  return made.length === 1;
}

/** Selects many secrets in one statement, each only in its own workspace. */
export async function selectSecrets(database: Database, refs: readonly SecretRef[]): Promise<readonly SecretRow[]> {
  return database.prepared<SecretRow>(
    `SELECT ${COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (id, workspace_id)
     JOIN agent_data_source_secret s USING (id, workspace_id)`,
    [refs.map((ref) => ref.secretId), refs.map((ref) => ref.workspaceId)],
  );
}

export async function deleteSecret(database: Database, ref: SecretRef): Promise<void> {
  await database.execute('DELETE FROM agent_data_source_secret WHERE id = $1 AND workspace_id = $2', [
    ref.secretId,
    ref.workspaceId,
  ]);
}

/**
 * Deletes secrets that no sink references; a deleted sink references none. Every column of `agent_data_source` that
 * holds a secret id must be checked here, or a secret in use is destroyed.
 * @returns how many were deleted
 */
export async function deleteUnreferencedSecrets(database: Database, minAgeMs: number): Promise<number> {
  const deleted = await database.execute(
    `DELETE FROM agent_data_source_secret s
      WHERE s.created_at < now() - $1 * interval '1 millisecond'
        AND NOT EXISTS (SELECT FROM agent_data_source d WHERE d.secret_id = s.id AND d.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM agent_data_source d WHERE d.previous_secret_id = s.id AND d.deleted_at IS NULL)`,
    [minAgeMs],
  );
  return deleted;
}

/** A page, ordered by id, of the secrets encrypted with any other key. */
export async function selectSecretsUnderOtherKeys(
  database: Database,
  keyId: string,
  afterId: string,
  limit: number,
): Promise<readonly SecretRow[]> {
  return database.query<SecretRow>(
    `SELECT ${COLUMNS} FROM agent_data_source_secret s WHERE s.key_id <> $1 AND s.id > $2 ORDER BY s.id LIMIT $3`,
    [keyId, afterId, limit],
  );
}

/** Updates the row only if it is unchanged since it was read. */
export async function replaceCiphertext(database: Database, row: SecretRow, sealed: SealedSecret): Promise<boolean> {
  const updated = await database.execute(
    `UPDATE agent_data_source_secret SET key_id = $1, ciphertext = $2
     WHERE id = $3 AND key_id = $4 AND ciphertext = $5`,
    [sealed.keyId, sealed.ciphertext, row.id, row.keyId, row.ciphertext],
  );
  return updated === 1;
}

/** Number of secrets by key id. */
export async function countSecretsByKey(database: Database): Promise<ReadonlyMap<string, number>> {
  const counts = await database.query<{ keyId: string; count: number }>(
    `SELECT key_id AS "keyId", count(*)::int AS count FROM agent_data_source_secret GROUP BY key_id ORDER BY key_id`,
  );
  return new Map(counts.map(({ keyId, count }) => [keyId, count]));
}
