import type { OpenTransaction } from '../ports/open-transaction.js';
import {
  SecretRefTakenError,
  SecretUnreadableError,
  SecretVault,
  type SecretRef,
  type SecretUnreadableReason,
} from '../ports/secret-vault.js';
import { EnvelopeError, open, seal, type RandomBytes } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import {
  deleteSecret,
  deleteUnreferencedSecrets,
  insertSecret,
  selectSecrets,
  type SqlRunner,
} from './secret.statements.js';

/**
 * The default vault: AES-256-GCM ciphertexts in the module's own table, keys in the configuration. Nothing decrypted is
 * kept: opening costs microseconds, and a cache would outlive a secret that was destroyed.
 */
export class DatabaseSecretVault extends SecretVault {
  constructor(
    private readonly dataSource: SqlRunner,
    private readonly keys: KeyRing,
    private readonly random: RandomBytes,
  ) {
    super();
  }

  override async store(ref: SecretRef, value: string, transaction?: OpenTransaction): Promise<void> {
    const sql = transaction === undefined ? this.dataSource : asSqlRunner(transaction);
    if (await insertSecret(sql, ref, seal(this.keys.first, ref, value, this.random))) return;
    const kept = (await this.revealWith(sql, [ref])).get(ref.secretId);
    if (kept !== value) throw new SecretRefTakenError(ref.secretId);
  }

  override async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    return refs.length === 0 ? new Map<string, string>() : this.revealWith(this.dataSource, refs);
  }

  override async destroy(ref: SecretRef): Promise<void> {
    await deleteSecret(this.dataSource, ref);
  }

  override destroyUnreferenced(minAgeMs: number): Promise<number> {
    return deleteUnreferencedSecrets(this.dataSource, minAgeMs);
  }

  private async revealWith(sql: SqlRunner, refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    const values = new Map<string, string>();
    const unreadable = new Map<string, SecretUnreadableReason>();
    const keyIds = new Map<string, string>();
    for (const row of await selectSecrets(sql, refs)) {
      try {
        values.set(row.id, open(this.keys, { secretId: row.id, workspaceId: row.workspaceId }, row));
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
        unreadable.set(error.secretId, error.code);
        keyIds.set(error.secretId, row.keyId);
      }
    }
    if (unreadable.size > 0) throw new SecretUnreadableError(unreadable, keyIds);
    return values;
  }
}

/** Told by its shape: a host may have a second copy of TypeORM, whose classes are not ours. */
function asSqlRunner(transaction: OpenTransaction): SqlRunner {
  if (!('query' in transaction) || typeof transaction.query !== 'function') {
    throw new TypeError('the transaction is not a TypeORM EntityManager');
  }
  return transaction as SqlRunner;
}
