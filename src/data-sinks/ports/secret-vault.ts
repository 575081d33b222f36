import type { OpenTransaction } from './open-transaction.js';

/** Where a secret is kept under. Authenticated with the ciphertext, so that no row can be moved to another sink. */
export interface SecretRef {
  /** `sec_…`, made by us. */
  readonly secretId: string;
  readonly workspaceId: string;
}

/** Keeps the secrets of sinks. The default encrypts them in the module's own table; a host may bring its own. */
export abstract class SecretVault {
  /**
   * Stores a new secret under a new reference. Storing the same value again under the same reference changes nothing.
   * Called before the sink that names the secret is written: an adapter outside the database cannot be rolled back, and
   * then leaves a secret that nothing names, never a sink without its secret.
   * @param transaction the transaction that also writes the sink
   * @throws SecretRefTakenError when another value is already kept under this reference
   */
  abstract store(ref: SecretRef, value: string, transaction?: OpenTransaction): Promise<void>;

  /**
   * Called outside any transaction, with all the references of a batch at once.
   * @returns the values by `secretId`; a secret that does not exist in its reference's workspace is left out
   * @throws SecretUnreadableError when some cannot be opened; it names them, so that the rest can be asked for again
   * @throws when the vault cannot answer; no customer's retry is spent
   */
  abstract reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>>;

  /**
   * Makes the value unrecoverable. Destroying what is not there is no error. Called after the commit that removed the
   * last row naming it, since not every vault can undo it; or when the overlap of a rotation is over, and again with the
   * next sweep until it has succeeded.
   */
  abstract destroy(ref: SecretRef): Promise<void>;

  /**
   * Destroys what no sink names any more: a secret whose `destroy` failed, or was never called because the process died.
   * For vaults that can tell; without this method such secrets stay. Called about once an hour by each worker.
   * @param minAgeMs younger ones are left alone: the transaction that names them may not have been committed yet
   * @returns how many were destroyed
   */
  destroyUnreferenced?(minAgeMs: number): Promise<number>;
}

/** Another value is already kept under this reference. Overwriting it would lose a secret that is in use. */
export class SecretRefTakenError extends Error {
  readonly code = 'secret_ref_taken';
  override readonly name = 'SecretRefTakenError';

  constructor(readonly secretId: string) {
    super(`another secret is already stored under ${secretId}`);
  }
}

/** Why a stored secret cannot be opened. */
export type SecretUnreadableReason =
  /** The ciphertext, or the id, workspace or key id it was sealed with, is not what it was; or the key of this id is another. */
  | 'secret_tampered'
  /** It was encrypted with a key that is not among the configured ones. */
  | 'secret_key_unknown';

/** Some of the secrets asked for cannot be opened. Trying again finds the same until an operator has acted. */
export class SecretUnreadableError extends Error {
  readonly code = 'secret_unreadable';
  override readonly name = 'SecretUnreadableError';

  /**
   * @param reasons by `secretId`: exactly the secrets that cannot be opened
   * @param keyIds by `secretId`: the id, never the key, of what each was sealed with, where the vault knows it
   */
  constructor(
    readonly reasons: ReadonlyMap<string, SecretUnreadableReason>,
    readonly keyIds: ReadonlyMap<string, string> = new Map(),
  ) {
    super(`cannot open ${[...reasons].map(([id, reason]) => `${id} (${reason})`).join(', ')}`);
  }

  /** Of one of them: what an operator needs to find the key that is missing. */
  explain(secretId: string): string {
    const keyId = this.keyIds.get(secretId);
    const sealedWith = keyId === undefined ? '' : `, sealed with the key ${JSON.stringify(keyId)}`;
    return `the vault cannot open ${secretId} (${this.reasons.get(secretId)}${sealedWith})`;
  }
}
