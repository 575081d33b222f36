import type { DataSource, EntityManager } from 'typeorm';
import { type Database, databaseOf } from '../database/database.js';
import { EnvelopeError, open, seal, type RandomBytes } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import { countSecretsByKey, replaceCiphertext, selectSecretsUnderOtherKeys, type SecretRow } from './secret.sql.js';

export interface ReencryptOptions {
  /**
   * Secrets per batch.
   * @default 100
   */
  readonly batchSize?: number;
  /** Called after every batch with the counts so far. */
  readonly onProgress?: (counts: ReencryptCounts) => void;
  /** Stops the run after the current batch. */
  readonly signal?: AbortSignal;
}

export interface ReencryptCounts {
  readonly reencrypted: number;
  /** Destroyed or re-encrypted by someone else between read and write; unchanged. */
  readonly changedMeanwhile: number;
  /** Tampered with, or encrypted with an unknown key; unchanged. */
  readonly unreadable: number;
}

export interface ReencryptReport extends ReencryptCounts {
  readonly interrupted: boolean;
  /** Number of secrets by key id. A key that is not listed may be removed from the configuration. */
  readonly secretsByKey: ReadonlyMap<string, number>;
}

/**
 * Re-encrypts every secret with the first key, while the service runs. Each row is updated separately and only if it
 * has not changed since it was read, so a run can be killed, repeated, or run twice at once. Every instance must know
 * the new key first: add it last in the list, deploy, move it to the front, deploy, run this, and then remove the old
 * key.
 */
export async function reencryptSecrets(
  given: EntityManager | DataSource,
  keys: KeyRing,
  random: RandomBytes,
  options: ReencryptOptions = {},
): Promise<ReencryptReport> {
  const { batchSize = 100, onProgress, signal } = options;
  const database = databaseOf(given);
  const counts = { reencrypted: 0, changedMeanwhile: 0, unreadable: 0 };
  for (let afterId = ''; !signal?.aborted;) {
    const rows = await selectSecretsUnderOtherKeys(database, keys.first.id, afterId, batchSize);
    for (const row of rows) {
      counts[await reencrypt(database, keys, random, row)]++;
      afterId = row.id;
    }
    if (rows.length > 0) onProgress?.({ ...counts });
    if (rows.length < batchSize) break;
  }
  return { ...counts, interrupted: signal?.aborted ?? false, secretsByKey: await countSecretsByKey(database) };
}

async function reencrypt(
  database: Database,
  keys: KeyRing,
  random: RandomBytes,
  row: SecretRow,
): Promise<keyof ReencryptCounts> {
  const ref = { secretId: row.id, workspaceId: row.workspaceId };
  let value: string;
  try {
    value = open(keys, ref, row);
  } catch (error) {
    if (error instanceof EnvelopeError) return 'unreadable';
    throw error;
  }
  const replaced = await replaceCiphertext(database, row, seal(keys.first, ref, value, random));
  return replaced ? 'reencrypted' : 'changedMeanwhile';
}
