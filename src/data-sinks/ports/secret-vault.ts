/** Where a secret is kept under. Authenticated with the ciphertext, so that no row can be moved to another sink. */
export interface SecretRef {
  /** `sec_…`, made by us. */
  readonly secretId: string;
  readonly workspaceId: string;
}

/** Keeps the secrets of sinks. The default encrypts them in the module's own table; a host may bring its own. */
export abstract class SecretVault {
  /** Stores a new secret under a new reference. Storing the same value again under the same reference changes nothing. */
  abstract store(ref: SecretRef, value: string): Promise<void>;

  /**
   * @returns the values by `secretId`; a secret that does not exist is left out
   * @throws when the vault cannot answer or a value was tampered with; no customer's retry is spent
   */
  abstract reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>>;

  /** Makes the value unrecoverable. Destroying what is not there is no error. */
  abstract destroy(ref: SecretRef): Promise<void>;
}
