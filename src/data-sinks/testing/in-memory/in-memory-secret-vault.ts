import { SecretRefTakenError, SecretVault, type SecretRef } from '../../ports/secret-vault.js';

/** Plain-text secrets in memory, only for tests. */
export class InMemorySecretVault extends SecretVault {
  private readonly secrets = new Map<string, { readonly workspaceId: string; readonly value: string }>();

  /** Number of stored secrets, to check that none is left behind. */
  get size(): number {
    return this.secrets.size;
  }

  override async store(ref: SecretRef, value: string): Promise<void> {
    const kept = this.secrets.get(ref.secretId);
    if (kept && (kept.value !== value || kept.workspaceId !== ref.workspaceId)) {
      throw new SecretRefTakenError(ref.secretId);
    }
    this.secrets.set(ref.secretId, { workspaceId: ref.workspaceId, value });
  }

  override async reveal(refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
    const values = new Map<string, string>();
    for (const ref of refs) {
      const kept = this.secrets.get(ref.secretId);
      if (kept?.workspaceId === ref.workspaceId) values.set(ref.secretId, kept.value);
    }
    return values;
  }

  override async destroy(ref: SecretRef): Promise<void> {
    if (this.secrets.get(ref.secretId)?.workspaceId === ref.workspaceId) this.secrets.delete(ref.secretId);
  }
}
