import type { PreviousSecret } from '../core/claimed-delivery.js';
import type { HttpsWebhookConfig } from '../core/data-sink.js';
import { type BodyMac, signatureScheme, type SigningInput } from '../core/signing/signature-scheme.js';
import type { BodyWatch } from '../payload/payload-builder.js';
import type { SecretRef } from '../ports/secret-vault.js';

/** Who signs, and with what. */
export interface SigningTask {
  readonly deliveryId: string;
  readonly config: Pick<HttpsWebhookConfig, 'authScheme' | 'username'>;
  readonly secret: SecretRef;
  /** Of the same workspace; null when no overlap lasts. */
  readonly previousSecret: PreviousSecret | null;
}

/** A body that took longer to make is signed anew: receivers compare the signature's time with their own. */
const STALE_AFTER_MS = 30_000;

/** A signature over a body that is being made. */
export class SigningWatch implements BodyWatch {
  readonly #task: SigningTask;
  readonly #start: () => Promise<SigningInput>;
  readonly #nowMs: () => number;
  #input: SigningInput | null = null;
  #digests: readonly Buffer[] | null = null;

  constructor(task: SigningTask, start: () => Promise<SigningInput>, nowMs: () => number) {
    this.#task = task;
    this.#start = start;
    this.#nowMs = nowMs;
  }

  /** Not while a secret is being rotated: whether the one before may still sign is judged at the end. */
  async begin(): Promise<readonly BodyMac[] | null> {
    const { config, previousSecret } = this.#task;
    const scheme = signatureScheme(config.authScheme);
    if (previousSecret !== null || !scheme.readsBody) return null;
    this.#input = await this.#start();
    return scheme.macs(this.#input);
  }

  end(digests: readonly Buffer[]): void {
    this.#digests = digests;
  }

  /** After the end. @returns null when the signature has become too old, or none was made */
  headers(): Readonly<Record<string, string>> | null {
    const [input, digests] = [this.#input, this.#digests];
    if (!input || !digests || this.#nowMs() - input.timestamp * 1000 > STALE_AFTER_MS) return null;
    return signatureScheme(this.#task.config.authScheme).headers(input, digests);
  }
}
