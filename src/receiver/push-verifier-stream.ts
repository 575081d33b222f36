import type { TransformCallback } from 'node:stream';
import { Transform } from 'node:stream';
import type { PushVerifier, PushVerifierOptions, PushProof } from './push-verifier.js';
import { createPushVerifier } from './push-verifier.js';

/**
 * Passes a body through unchanged and verifies it meanwhile. Bytes come out before they are verified: process them in a
 * transaction or a temporary file, and commit after the stream has ended. If verification fails, the stream emits
 * `error`, and `pipeline()` rejects.
 */
export class PushVerifierStream extends Transform {
  readonly #verifier: PushVerifier;
  #proof: PushProof | null = null;

  /** @throws PushVerificationError at once if the headers are invalid */
  constructor(options: PushVerifierOptions) {
    super();
    this.#verifier = createPushVerifier(options);
  }

  /** Null until the whole body has passed and its signature matched. */
  get proof(): PushProof | null {
    return this.#proof;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#verifier.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#proof = this.#verifier.verify();
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}
