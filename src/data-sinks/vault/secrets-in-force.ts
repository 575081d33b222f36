import { Injectable } from '@nestjs/common';
import { ServerClock } from '../database/server-clock.js';
import type { PreviousSecret } from '../domain/claimed-delivery.js';
import { type SecretRef, SecretUnreadableError, SecretVault } from '../ports/secret-vault.js';
import { NaturalBatcher } from '../tools/natural-batcher.js';
import { OpenedSecrets } from './opened-secrets.js';

/** The secrets of a sink, by their names in the vault. */
export interface SecretsOfSink {
  readonly secret: SecretRef;
  /** Of the same workspace; null when no overlap lasts. */
  readonly previousSecret: PreviousSecret | null;
}

/** The vault cannot give the sink's secret: our failure, not the customer's. */
export class SecretUnavailableError extends Error {
  readonly code = 'secret_unavailable';
  override readonly name = 'SecretUnavailableError';
}

/** Opens the secrets that a push is made with. */
@Injectable()
export class SecretsInForce {
  readonly #secrets: NaturalBatcher<SecretRef, string | SecretUnavailableError>;
  readonly #opened = new OpenedSecrets();

  constructor(
    vault: SecretVault,
    private readonly clock: ServerClock,
  ) {
    this.#secrets = new NaturalBatcher(async (refs) => {
      // Deliveries of one sink come together; its secret is opened once for all of them.
      const values = await revealReadable(vault, [...new Map(refs.map((ref) => [ref.secretId, ref])).values()]);
      return refs.map((ref) => {
        const value = values.get(ref.secretId);
        if (typeof value === 'string') this.#opened.keep(ref, value);
        return value ?? new SecretUnavailableError(`the vault has no secret ${ref.secretId}`);
      });
    });
  }

  /**
   * The secret before is judged at the time that is returned, after the vault has answered: however late the sweeper is,
   * it does not outlive its overlap. Until then it is not left out in silence, since a receiver may know no other; a claim
   * of a moment later knows what is in force.
   * @throws SecretUnavailableError
   */
  async open({ secret, previousSecret: previous }: SecretsOfSink): Promise<{
    readonly current: string;
    readonly previous: string | null;
    readonly nowMs: number;
  }> {
    const wanted = previous && { secretId: previous.secretId, workspaceId: secret.workspaceId };
    const [current, before] = await Promise.all([this.#valueOf(secret), wanted && this.#valueOf(wanted)]);
    const nowMs = this.clock.now();
    if (current instanceof SecretUnavailableError) throw current;
    if (before === null || previous === null || previous.expiresAt.getTime() <= nowMs)
      return { current, previous: null, nowMs };
    if (before instanceof SecretUnavailableError) throw before;
    return { current, previous: before, nowMs };
  }

  #valueOf(ref: SecretRef): Promise<string | SecretUnavailableError> | string {
    return this.#opened.get(ref) ?? this.#secrets.add(ref);
  }
}

/** One secret that was tampered with must not hold up the others of its batch, nor a vault that never answers all to come. */
async function revealReadable(
  vault: SecretVault,
  refs: readonly SecretRef[],
): Promise<ReadonlyMap<string, string | SecretUnavailableError>> {
  try {
    return await vault.reveal(refs);
  } catch (error) {
    if (!(error instanceof SecretUnreadableError)) throw error;
    const readable = refs.filter(({ secretId }) => !error.reasons.has(secretId));
    const asksForLess = readable.length > 0 && readable.length < refs.length;
    const values = asksForLess ? await vault.reveal(readable) : [];
    // Why is for the log: a key that is missing is not a secret that is missing.
    const unreadable = [...error.reasons.keys()].map(
      (id) => [id, new SecretUnavailableError(error.explain(id))] as const,
    );
    return new Map<string, string | SecretUnavailableError>([...values, ...unreadable]);
  }
}
