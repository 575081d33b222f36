import { EnvelopeError, open, seal, type RandomBytes } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import {
  countSecretsByKey,
  replaceCiphertext,
  selectSecretsUnderOtherKeys,
  type SecretRow,
  type SqlRunner,
} from './secret.statements.js';

export interface ReencryptOptions {
  /**
   * Secrets read at a time.
   * @default 100
   */
  readonly batchSize?: number;
  /** Called after every batch, with the counts so far. */
  readonly onProgress?: (counts: ReencryptCounts) => void;
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal;
}

export interface ReencryptCounts {
  readonly reencrypted: number;
  /** Destroyed or re-encrypted by somebody else between our reading and our writing; left as they are. */
  readonly changedMeanwhile: number;
  /** Tampered with, or under a key that is not configured; left as they are. */
  readonly unreadable: number;
}

export interface ReencryptReport extends ReencryptCounts {
  readonly interrupted: boolean;
  /** How many secrets each key encrypts now. A key that is not in here may be taken out of the configuration. */
  readonly secretsByKey: ReadonlyMap<string, number>;
}

/**
 * Re-encrypts every secret under the first key, while the service runs. Each row is changed by itself and only if it is
 * still what was read, so that a run can be killed at any moment, run again, and run twice at once. Every running
 * instance must already know the new key, else it cannot read what this writes: add the key last in the list, deploy,
 * move it to the front, deploy, run this, and only then remove the old key.
 */
export async function reencryptSecrets(
  sql: SqlRunner,
  keys: KeyRing,
  random: RandomBytes,
  options: ReencryptOptions = {},
): Promise<ReencryptReport> {
  const { batchSize = 100, onProgress, signal } = options;
  const counts = { reencrypted: 0, changedMeanwhile: 0, unreadable: 0 };
  for (let afterId = ''; !signal?.aborted;) {
    const rows = await selectSecretsUnderOtherKeys(sql, keys.first.id, afterId, batchSize);
    for (const row of rows) {
      counts[await reencrypt(sql, keys, random, row)]++;
      afterId = row.id;
    }
    if (rows.length > 0) onProgress?.({ ...counts });
    if (rows.length < batchSize) break;
  }
  return { ...counts, interrupted: signal?.aborted ?? false, secretsByKey: await countSecretsByKey(sql) };
}

async function reencrypt(
  sql: SqlRunner,
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
  const replaced = await replaceCiphertext(sql, row, seal(keys.first, ref, value, random));
  return replaced ? 'reencrypted' : 'changedMeanwhile';
}
