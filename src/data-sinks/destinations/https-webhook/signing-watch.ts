import type { HttpsWebhookConfig } from '../../domain/data-sink.js';
import { signatureScheme } from '../../domain/signing/signature-schemes.js';
import { type BodyMac, type SigningInput } from '../../domain/signing/signature-scheme.js';
import type { BodyWatch } from '../../payload/payload-builder.js';
import type { Push } from '../destination.js';

/** Who signs, and with what. */
export interface SigningTask extends Pick<Push, 'deliveryId' | 'overlapping' | 'secrets'> {
  readonly config: Pick<HttpsWebhookConfig, 'authScheme' | 'username'>;
}

/** If building took longer, the body is signed again: receivers compare the signature's time with their clock. */
const STALE_AFTER_MS = 30_000;

/** Computes a signature while a body is built. */
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

  /** Not during a rotation: whether the previous secret may sign is decided at the end. */
  async begin(): Promise<readonly BodyMac[] | null> {
    const { config, overlapping } = this.#task;
    const scheme = signatureScheme(config.authScheme);
    if (overlapping || !scheme.readsBody) return null;
    this.#input = await this.#start();
    return scheme.macs(this.#input);
  }

  end(digests: readonly Buffer[]): void {
    this.#digests = digests;
  }

  /** Call at the end. @returns null when the signature is too old, or none was computed */
  headers(): Readonly<Record<string, string>> | null {
    const [input, digests] = [this.#input, this.#digests];
    if (!input || !digests || this.#nowMs() - input.timestamp * 1000 > STALE_AFTER_MS) return null;
    return signatureScheme(this.#task.config.authScheme).headers(input, digests);
  }
}
