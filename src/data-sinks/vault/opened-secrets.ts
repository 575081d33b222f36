import { keyText } from '../domain/key-text.js';
import type { SecretRef } from '../ports/secret-vault.js';

/** A value is asked for again after so long: what the vault has destroyed is soon gone from memory too. */
const KEPT_MS = 60_000;
/** The one kept for longest is pushed out. */
const MOST = 1_000;

/**
 * Secrets that the vault has opened, for a minute. An id never names another value, and which ids are in force is read with
 * each delivery, so that a secret that was replaced or whose overlap is over signs nothing, kept or not.
 */
export class OpenedSecrets {
  readonly #kept = new Map<string, { readonly value: string; readonly untilMs: number }>();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  get({ workspaceId, secretId }: SecretRef): string | undefined {
    const kept = this.#kept.get(keyText(workspaceId, secretId));
    return kept && this.nowMs() < kept.untilMs ? kept.value : undefined;
  }

  keep({ workspaceId, secretId }: SecretRef, value: string): void {
    const now = this.nowMs();
    const key = keyText(workspaceId, secretId);
    // In the order in which they were opened.
    this.#kept.delete(key);
    this.#kept.set(key, { value, untilMs: now + KEPT_MS });
    for (const [oldest, { untilMs }] of this.#kept) {
      if (this.#kept.size <= MOST && now < untilMs) break;
      this.#kept.delete(oldest);
    }
  }
}
