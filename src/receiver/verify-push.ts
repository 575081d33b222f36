import { PushVerificationError } from './push-verification-error.js';
import type { PushVerifierOptions, PushProof } from './push-verifier.js';
import { createPushVerifier } from './push-verifier.js';

export type VerifyPushOptions = PushVerifierOptions & {
  /** The body exactly as it came: bytes, or the text of all of them. Never an object that was parsed from it. */
  readonly rawBody: string | Uint8Array;
};

/**
 * Verifies a push whose whole body is at hand.
 * @throws PushVerificationError whose `code` says what is wrong and whose message what to fix
 */
export function verifyPush(options: VerifyPushOptions): PushProof {
  const body = bytesOf(options.rawBody);
  const verifier = createPushVerifier(options);
  verifier.update(body);
  return verifier.verify();
}

/** JavaScript's callers have no types: what a body parser left behind is told from a body that is not there. */
function bytesOf(rawBody: unknown): Uint8Array {
  if (typeof rawBody === 'string') return Buffer.from(rawBody, 'utf8');
  if (rawBody instanceof Uint8Array) return rawBody;
  if (rawBody === undefined || rawBody === null) {
    throw new PushVerificationError(
      'body_missing',
      'rawBody is not set. Give the bytes of the body: express.raw() puts them in req.body, Nest with { rawBody: true } in req.rawBody, fetch-style servers give them by request.arrayBuffer().',
    );
  }
  throw bodyAlreadyParsed();
}

export function bodyAlreadyParsed(): PushVerificationError {
  return new PushVerificationError(
    'body_already_parsed',
    'The body was parsed before it was verified, and the bytes that were signed are gone. Keep the raw body on this route: put the verification before express.json(), create the Nest application with { rawBody: true }, and never sign JSON.stringify(req.body).',
  );
}
