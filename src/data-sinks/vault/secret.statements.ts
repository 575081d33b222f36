import type { EntityManager } from 'typeorm';
import type { SecretRef } from '../ports/secret-vault.js';
import type { SealedSecret } from './envelope.js';

/** What a statement runs on: the data source, or the manager of an open transaction. */
export type SqlRunner = Pick<EntityManager, 'query'>;

export interface SecretRow extends SealedSecret {
  readonly id: string;
  readonly workspaceId: string;
}

const COLUMNS = 's.id, s.workspace_id AS "workspaceId", s.key_id AS "keyId", s.ciphertext';

/** @returns whether the row was written; false when the id is taken */
export async function insertSecret(sql: SqlRunner, ref: SecretRef, sealed: SealedSecret): Promise<boolean> {
  const rows = await sql.query<unknown[]>(
    `INSERT INTO agent_data_source_secret (id, workspace_id, key_id, ciphertext) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [ref.secretId, ref.workspaceId, sealed.keyId, sealed.ciphertext],
  );
  return rows.length === 1;
}

/** The rows of many references in one statement; each only in its own workspace. */
export async function selectSecrets(sql: SqlRunner, refs: readonly SecretRef[]): Promise<readonly SecretRow[]> {
  return sql.query<SecretRow[]>(
    `SELECT ${COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (id, workspace_id)
     JOIN agent_data_source_secret s USING (id, workspace_id)`,
    [refs.map((ref) => ref.secretId), refs.map((ref) => ref.workspaceId)],
  );
}

export async function deleteSecret(sql: SqlRunner, ref: SecretRef): Promise<void> {
  await sql.query('DELETE FROM agent_data_source_secret WHERE id = $1 AND workspace_id = $2', [
    ref.secretId,
    ref.workspaceId,
  ]);
}

/**
 * Deletes the secrets that no sink names; one that was deleted names none. Every column of `agent_data_source` that holds
 * a secret's id must be asked here, else a secret in use is destroyed.
 * @returns how many there were
 */
export async function deleteUnreferencedSecrets(sql: SqlRunner, minAgeMs: number): Promise<number> {
  const [, deleted] = await sql.query<[unknown, number]>(
    `DELETE FROM agent_data_source_secret s
      WHERE s.created_at < now() - $1 * interval '1 millisecond'
        AND NOT EXISTS (SELECT FROM agent_data_source d WHERE d.secret_id = s.id AND d.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM agent_data_source d WHERE d.previous_secret_id = s.id AND d.deleted_at IS NULL)`,
    [minAgeMs],
  );
  return deleted;
}

/** A page, by id, of the secrets that another key than this one encrypts. */
export async function selectSecretsUnderOtherKeys(
  sql: SqlRunner,
  keyId: string,
  afterId: string,
  limit: number,
): Promise<readonly SecretRow[]> {
  return sql.query<SecretRow[]>(
    `SELECT ${COLUMNS} FROM agent_data_source_secret s WHERE s.key_id <> $1 AND s.id > $2 ORDER BY s.id LIMIT $3`,
    [keyId, afterId, limit],
  );
}

/** Only while the row is what was read: a secret destroyed or re-encrypted meanwhile stays so. */
export async function replaceCiphertext(sql: SqlRunner, row: SecretRow, sealed: SealedSecret): Promise<boolean> {
  const [, updated] = await sql.query<[unknown, number]>(
    `UPDATE agent_data_source_secret SET key_id = $1, ciphertext = $2
     WHERE id = $3 AND key_id = $4 AND ciphertext = $5`,
    [sealed.keyId, sealed.ciphertext, row.id, row.keyId, row.ciphertext],
  );
  return updated === 1;
}

/** How many secrets each key encrypts. */
export async function countSecretsByKey(sql: SqlRunner): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ keyId: string; count: number }[]>(
    `SELECT key_id AS "keyId", count(*)::int AS count FROM agent_data_source_secret GROUP BY key_id ORDER BY key_id`,
  );
  return new Map(rows.map(({ keyId, count }) => [keyId, count]));
}
