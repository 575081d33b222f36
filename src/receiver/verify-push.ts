import { PushVerificationError } from './push-verification-error.js';
import type { PushVerifierOptions, PushProof } from './push-verifier.js';
import { createPushVerifier } from './push-verifier.js';

export type VerifyPushOptions = PushVerifierOptions & {
  /** The body exactly as received: bytes, or all of them as text. Never a parsed object. */
  readonly rawBody: string | Uint8Array;
};

/**
 * Verifies a push whose whole body is in memory.
 * @throws PushVerificationError with a `code` for the reason and a message that says how to fix it
 */
export function verifyPush(options: VerifyPushOptions): PushProof {
  const body = bytesOf(options.rawBody);
  const verifier = createPushVerifier(options);
  verifier.update(body);
  return verifier.verify();
}

/** Callers in JavaScript have no types: distinguishes a parsed body from a missing one. */
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
