import type { PreviousSecret } from '../core/claimed-delivery.js';
import type { HttpsWebhookConfig } from '../core/data-sink.js';
import { type BodyPass, signatureScheme } from '../core/signing/signature-scheme.js';
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

/** A pass over a body, and the time that it signs. */
export interface StartedSignature {
  readonly pass: BodyPass;
  readonly atMs: number;
}

/** A body that took longer to make is signed anew: receivers compare the signature's time with their own. */
const STALE_AFTER_MS = 30_000;

/** A signature over a body that is being made. */
export class SigningWatch implements BodyWatch {
  readonly #task: SigningTask;
  readonly #start: () => Promise<StartedSignature>;
  readonly #nowMs: () => number;
  #started: StartedSignature | null = null;

  constructor(task: SigningTask, start: () => Promise<StartedSignature>, nowMs: () => number) {
    this.#task = task;
    this.#start = start;
    this.#nowMs = nowMs;
  }

  /** Not while a secret is being rotated: whether the one before may still sign is judged at the end. */
  async begin(): Promise<boolean> {
    const { config, previousSecret } = this.#task;
    if (previousSecret !== null || !signatureScheme(config.authScheme).readsBody) return false;
    this.#started = await this.#start();
    return true;
  }

  update(chunk: Uint8Array): void {
    this.#started?.pass.update(chunk);
  }

  /** After the last byte. @returns null when the signature has become too old, or none was begun */
  headers(): Readonly<Record<string, string>> | null {
    if (!this.#started || this.#nowMs() - this.#started.atMs > STALE_AFTER_MS) return null;
    return this.#started.pass.headers();
  }
}
