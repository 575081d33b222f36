import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { checkAuthorization } from '../authorization.js';
import { PayloadScanner } from '../payload-scanner.js';
import { PushVerificationError } from '../push-verification-error.js';
import type { PushVerifier } from '../push-verifier.js';
import { createPushVerifier } from '../push-verifier.js';
import type { MappingResultRow, PushFacts } from '../results-push.js';
import { PayloadError } from '../results-push.js';
import type { ListenOptions } from './listen-options.js';
import type { ListenProblem, ListenRecord } from './listen-record.js';

type Findings = Pick<
  ListenRecord,
  | 'bytes'
  | 'sha256'
  | 'signatureValid'
  | 'problems'
  | 'contentDigestValid'
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

/** Looks at one request's body as it streams by: both signatures, digest, rows. Nothing of it is kept. */
export class PushExamination {
  readonly #problems: ListenProblem[] = [];
  readonly #verifiers: { readonly check: ListenProblem['check']; readonly verifier: PushVerifier }[] = [];
  readonly #digest = createHash('sha256');
  readonly #scanner: PayloadScanner | null;
  readonly #contentDigest: string | null;
  readonly #checksAnything: boolean;
  #bytes = 0;
  #firstRow: MappingResultRow | null = null;
  #facts: PushFacts | null = null;
  #payloadError: string | null = null;

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
    this.#scanner = /^application\/json\b/i.test(headers['content-type'] ?? '') ? new PayloadScanner() : null;
    const contentDigest = headers['content-digest'];
    this.#contentDigest = typeof contentDigest === 'string' ? contentDigest : null;
  }

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#digest.update(chunk);
    for (const { verifier } of this.#verifiers) verifier.update(chunk);
    this.#read((scanner) => {
      const rows = scanner.push(chunk);
      this.#firstRow ??= rows[0] ?? null;
    });
  }

  /** @param whole false when the sender gave up in the middle */
  finish(whole: boolean): Findings {
    for (const { check, verifier } of this.#verifiers) this.#attempt(check, () => verifier.verify());
    if (whole) this.#read((scanner) => (this.#facts = scanner.end()));
    const digest = this.#digest.digest();
    return {
      bytes: this.#bytes,
      sha256: digest.toString('hex'),
      signatureValid: this.#checksAnything ? this.#problems.length === 0 : null,
      problems: this.#problems,
      contentDigestValid:
        this.#contentDigest === null ? null : this.#contentDigest === `sha-256=:${digest.toString('base64')}:`,
      rows: this.#scanner !== null && this.#payloadError === null ? this.#scanner.rowCount : null,
      firstRow: this.#firstRow,
      facts: this.#facts,
      payloadError: this.#payloadError,
      test: this.#facts?.test === true,
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

  #read(step: (scanner: PayloadScanner) => void): void {
    if (this.#scanner === null || this.#payloadError !== null) return;
    try {
      step(this.#scanner);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#payloadError = error.code;
    }
  }
}
