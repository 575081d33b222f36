import type { HttpsWebhookConfig } from '../core/data-sink.js';
import { NaturalBatcher } from '../core/natural-batcher.js';
import { signatureScheme } from '../core/signing/signature-scheme.js';
import { type SecretRef, SecretUnreadableError, type SecretVault } from '../ports/secret-vault.js';

/** What is signed: any stored body, or the synthetic one of a test. */
export interface SignableBody {
  readonly whole: Uint8Array | null;
  open(): AsyncIterable<Uint8Array>;
}

export interface SigningRequest {
  readonly deliveryId: string;
  readonly config: Pick<HttpsWebhookConfig, 'authScheme' | 'username'>;
  readonly secret: SecretRef;
  readonly body: SignableBody;
}

/** The vault cannot give the sink's secret: our failure, not the customer's. */
export class SecretUnavailableError extends Error {
  readonly code = 'secret_unavailable';
  override readonly name = 'SecretUnavailableError';
}

/** Step 5b: the headers that prove where a push comes from. */
export class PushSigner {
  readonly #nowMs: () => number;
  readonly #secrets: NaturalBatcher<SecretRef, string | undefined>;

  /** @param nowMs milliseconds since 1970, for the signature's timestamp */
  constructor(vault: SecretVault, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#secrets = new NaturalBatcher(async (refs) => {
      // Deliveries of one sink come together; its secret is opened once for all of them.
      const values = await revealReadable(vault, [...new Map(refs.map((ref) => [ref.secretId, ref])).values()]);
      return refs.map(({ secretId }) => values.get(secretId));
    });
  }

  /** One pass over the body where the scheme reads it, none where it does not; the body is never held. */
  async sign({ deliveryId, config, secret, body }: SigningRequest): Promise<Readonly<Record<string, string>>> {
    const value = await this.#secrets.add(secret);
    if (value === undefined) throw new SecretUnavailableError(`the vault has no secret ${secret.secretId}`);
    const scheme = signatureScheme(config.authScheme);
    const timestamp = Math.floor(this.#nowMs() / 1000);
    const pass = scheme.begin({
      ...{ deliveryId, timestamp, secret: value, username: config.username },
      previousSecret: null,
    });
    if (scheme.readsBody) {
      if (body.whole) pass.update(body.whole);
      else for await (const chunk of body.open()) pass.update(chunk);
    }
    return pass.headers();
  }
}

/** One secret that was tampered with must not hold up the others of its batch. */
async function revealReadable(vault: SecretVault, refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> {
  try {
    return await vault.reveal(refs);
  } catch (error) {
    if (!(error instanceof SecretUnreadableError)) throw error;
    const readable = refs.filter(({ secretId }) => !error.reasons.has(secretId));
    return readable.length > 0 && readable.length < refs.length ? vault.reveal(readable) : new Map();
  }
}
