import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { checkAuthorization } from '../authorization.js';
import { PushVerificationError } from '../push-verification-error.js';
import type { PushVerifier } from '../push-verifier.js';
import { createPushVerifier } from '../push-verifier.js';
import type { ListenOptions } from './listen-options.js';
import type { ListenProblem, ListenRecord } from './listen-record.js';
import { PayloadCount } from './payload-count.js';

type Findings = Pick<
  ListenRecord,
  | 'bytes'
  | 'sha256'
  | 'signatureValid'
  | 'problems'
  | 'contentDigestValid'
  | 'format'
  | 'gzip'
  | 'part'
  | 'rows'
  | 'firstRow'
  | 'facts'
  | 'payloadError'
  | 'test'
>;

const SIGNATURES = [
  { check: 'webhook-signature', form: 'standard-webhooks' },
  { check: 'X-MT-Signature', form: 'x-mt' },
] as const;

/** Checks one streamed request: both signatures, digest, rows. Stores nothing. */
export class PushExamination {
  readonly #problems: ListenProblem[] = [];
  readonly #verifiers: { readonly check: ListenProblem['check']; readonly verifier: PushVerifier }[] = [];
  readonly #digest = createHash('sha256');
  readonly #payload: PayloadCount;
  readonly #contentDigest: string | null;
  readonly #checksAnything: boolean;
  #bytes = 0;

  constructor(
    headers: IncomingHttpHeaders,
    { secrets, authorization, toleranceSeconds }: Pick<ListenOptions, 'secrets' | 'authorization' | 'toleranceSeconds'>,
  ) {
    this.#checksAnything = secrets.length > 0 || authorization !== null;
    if (authorization !== null) this.#attempt('Authorization', () => checkAuthorization(headers, authorization));
    for (const { check, form } of secrets.length > 0 ? SIGNATURES : []) {
      this.#attempt(check, () => {
        this.#verifiers.push({ check, verifier: createPushVerifier({ headers, secrets, form, toleranceSeconds }) });
      });
    }
    this.#payload = new PayloadCount(headers);
    const contentDigest = headers['content-digest'];
    this.#contentDigest = typeof contentDigest === 'string' ? contentDigest : null;
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    this.#digest.update(chunk);
    for (const { verifier } of this.#verifiers) verifier.update(chunk);
    await this.#payload.update(chunk);
  }

  /** @param whole false when the sender aborted */
  async finish(whole: boolean): Promise<Findings> {
    for (const { check, verifier } of this.#verifiers) this.#attempt(check, () => verifier.verify());
    const digest = this.#digest.digest();
    return {
      bytes: this.#bytes,
      sha256: digest.toString('hex'),
      signatureValid: this.#checksAnything ? this.#problems.length === 0 : null,
      problems: this.#problems,
      contentDigestValid:
        this.#contentDigest === null ? null : this.#contentDigest === `sha-256=:${digest.toString('base64')}:`,
      ...(await this.#payload.finish(whole)),
    };
  }

  #attempt(check: ListenProblem['check'], step: () => unknown): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof PushVerificationError)) throw error;
      this.#problems.push({ check, code: error.code, detail: error.message });
    }
  }
}
