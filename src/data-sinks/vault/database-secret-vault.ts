import { Inject, Injectable } from '@nestjs/common';
import { RANDOM_BYTES, VAULT_KEYS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import type { OpenTransaction } from '../ports/open-transaction.js';
import {
  SecretRefTakenError,
  SecretUnreadableError,
  SecretVault,
  type SecretRef,
  type SecretUnreadableReason,
} from '../ports/secret-vault.js';
import { checkKeys, type KeyCheck } from './check-keys.js';
import { EnvelopeError, open, seal, type RandomBytes } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import { deleteSecret, deleteUnreferencedSecrets, insertSecret, selectSecrets } from './secret.sql.js';

/**
 * The default vault: AES-256-GCM ciphertexts in the module's own table, keys from the configuration. Plaintext is not
 * cached: decryption takes microseconds, and a cache could outlive a destroyed secret.
 */
@Injectable()
export class DatabaseSecretVault extends SecretVault {
  constructor(
    private readonly database: Database,
    @Inject(VAULT_KEYS) private readonly keys: KeyRing,
    @Inject(RANDOM_BYTES) private readonly random: RandomBytes,
  ) {
    super();
  }

  override async store(ref: SecretRef, value: string, transaction?: OpenTransaction): Promise<void> {
    const database = this.database.in(transaction);
    if (await insertSecret(database, ref, seal(this.keys.first, ref, value, this.random))) return;
    const kept = (await this.revealWith(database, [ref])).get(ref.secretId);
    if (kept !== value) throw new SecretRefTakenError(ref.secretId);
  }

  override async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    return refs.length === 0 ? new Map<string, string>() : this.revealWith(this.database, refs);
  }

  override async destroy(ref: SecretRef): Promise<void> {
    await deleteSecret(this.database, ref);
  }

  override destroyUnreferenced(minAgeMs: number): Promise<number> {
    return deleteUnreferencedSecrets(this.database, minAgeMs);
  }

  /** Which keys open what is stored under them. */
  checkKeys(): Promise<KeyCheck> {
    return checkKeys(this.database, this.keys);
  }

  private async revealWith(database: Database, refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    const values = new Map<string, string>();
    const unreadable = new Map<string, SecretUnreadableReason>();
    const keyIds = new Map<string, string>();
    for (const row of await selectSecrets(database, refs)) {
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
