import type { OpenTransaction } from './open-transaction.js';

/** Identifies a stored secret. Authenticated with the ciphertext, so that a row cannot be moved to another sink. */
export interface SecretRef {
  /** `sec_…`, created by the module. */
  readonly secretId: string;
  readonly workspaceId: string;
}

/** Stores the secrets of sinks. By default encrypted in the module's own table; a host may provide its own. */
export abstract class SecretVault {
  /**
   * Stores a new secret under a new reference. Idempotent: storing the same value again has no effect. Called before
   * the sink is written: an adapter outside the database cannot be rolled back, and a failure then leaves an
   * unreferenced secret, never a sink without its secret.
   * @param transaction the transaction that also writes the sink
   * @throws SecretRefTakenError when the reference already holds another value
   */
  abstract store(ref: SecretRef, value: string, transaction?: OpenTransaction): Promise<void>;

  /**
   * Called outside any transaction, with all references of a batch.
   * @returns the values by `secretId`, without secrets that do not exist in their reference's workspace
   * @throws SecretUnreadableError naming the secrets that cannot be decrypted, so that the rest can be requested again
   * @throws when the vault is unavailable; no retry is used
   */
  abstract reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>>;

  /**
   * Destroys the value permanently. Idempotent. Called after the commit that removed the last reference, since not
   * every vault can roll back; and when a rotation's overlap has ended, then again by each sweep until it succeeds.
   */
  abstract destroy(ref: SecretRef): Promise<void>;

  /**
   * Destroys secrets that no sink references: their `destroy` failed, or the process died before calling it. Optional;
   * without this method such secrets remain. Each worker calls it about once an hour.
   * @param minAgeMs skip younger secrets: the transaction that references them may not have committed yet
   * @returns how many were destroyed
   */
  destroyUnreferenced?(minAgeMs: number): Promise<number>;
}

/** The reference already holds another value. Overwriting it would lose a secret in use. */
export class SecretRefTakenError extends Error {
  readonly code = 'secret_ref_taken';
  override readonly name = 'SecretRefTakenError';

  constructor(readonly secretId: string) {
    super(`another secret is already stored under ${secretId}`);
  }
}

/** Why a stored secret cannot be decrypted. */
export type SecretUnreadableReason =
  /** The ciphertext, id, workspace or key id was changed, or the key with this id is a different one. */
  | 'secret_tampered'
  /** The key that encrypted it is not configured. */
  | 'secret_key_unknown';

/** Some of the requested secrets cannot be decrypted. Retrying fails until an operator acts. */
export class SecretUnreadableError extends Error {
  readonly code = 'secret_unreadable';
  override readonly name = 'SecretUnreadableError';

  /**
   * @param reasons by `secretId`: exactly the secrets that cannot be decrypted
   * @param keyIds by `secretId`: the id (never the key) of the encryption key, where the vault knows it
   */
  constructor(
    readonly reasons: ReadonlyMap<string, SecretUnreadableReason>,
    readonly keyIds: ReadonlyMap<string, string> = new Map(),
  ) {
    super(`cannot open ${[...reasons].map(([id, reason]) => `${id} (${reason})`).join(', ')}`);
  }

  /** For one secret: what an operator needs to find the missing key. */
  explain(secretId: string): string {
    const keyId = this.keyIds.get(secretId);
    const sealedWith = keyId === undefined ? '' : `, sealed with the key ${JSON.stringify(keyId)}`;
    return `the vault cannot open ${secretId} (${this.reasons.get(secretId)}${sealedWith})`;
  }
}
