import type { Hash, Hmac } from 'node:crypto';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { partIn } from './push-content.js';
import type { HeaderLookup, PushHeaders } from './push-headers.js';
import { headerLookup, singleHeader } from './push-headers.js';
import { PushVerificationError } from './push-verification-error.js';
import type { PushPart } from './results-push.js';
import type { SignatureClaim, SignatureForm } from './signature-claim.js';
import { readSignatureClaim } from './signature-claim.js';

/** The sink's secret; during a rotation the new and the old one. */
export type PushSecrets =
  | { readonly secret: string; readonly secrets?: undefined }
  | { readonly secrets: readonly string[]; readonly secret?: undefined };

export interface VerificationRules {
  /**
   * Which of the two signatures to check; a push carries both. The default also authenticates the delivery id and the
   * time.
   * @default 'standard-webhooks'
   */
  readonly form?: SignatureForm;
  /**
   * Maximum difference between the signed time and this server's clock in seconds, in either direction; null disables
   * the check. No effect on `x-mt`, which does not sign a time.
   * @default 300
   */
  readonly toleranceSeconds?: number | null;
  /**
   * Milliseconds since 1970.
   * @default Date.now
   */
  readonly now?: () => number;
}

export type PushVerifierOptions = PushSecrets & VerificationRules & { readonly headers: PushHeaders };

/** Facts about a verified push. */
export interface PushProof {
  readonly form: SignatureForm;
  /**
   * The same for every attempt: use it to detect duplicates. Signed for `standard-webhooks`; for `x-mt` it is the
   * unsigned `X-MT-Delivery-Id`, null when missing.
   */
  readonly deliveryId: string | null;
  /** `X-MT-Attempt`, from 1; not signed. Null when missing. */
  readonly attempt: number | null;
  /** `X-MT-Part`, not signed. Null for a job that is pushed as one body. */
  readonly part: PushPart | null;
  /** When this attempt was signed; null for `x-mt`. */
  readonly signedAt: Date | null;
  /** Index of the secret that matched. Keep the old secret as long as it still matches. */
  readonly secretIndex: number;
}

/** Verifies a streamed body: call `update()` for every chunk in order, then `verify()`. */
export interface PushVerifier {
  update(chunk: Uint8Array): void;
  /**
   * Do not trust anything in the body before this returns.
   * @throws PushVerificationError
   */
  verify(): PushProof;
}

export const DEFAULT_TOLERANCE_SECONDS = 300;

/**
 * Checks the headers and starts a verification.
 * @throws PushVerificationError at once if headers are missing, malformed or too old
 */
export function createPushVerifier(options: PushVerifierOptions): PushVerifier {
  const secrets = usableSecrets(options);
  const lookup = headerLookup(options.headers);
  const claim = readSignatureClaim(options.form ?? 'standard-webhooks', lookup);
  const attempt = singleHeader(lookup, 'X-MT-Attempt') ?? '';
  checkTime(claim, options.toleranceSeconds, options.now ?? Date.now);
  const macs = secrets.map((secret) => createHmac('sha256', claim.key(secret)).update(claim.prefix));
  const seen: SeenBody = { bytes: 0, digest: createHash('sha256') };
  return {
    update(chunk) {
      seen.bytes += chunk.byteLength;
      seen.digest.update(chunk);
      for (const mac of macs) mac.update(chunk);
    },
    verify() {
      const secretIndex = matchingMac(macs, claim);
      if (secretIndex === -1) throw mismatch(lookup, seen, secrets);
      return {
        form: claim.form,
        deliveryId: claim.deliveryId,
        part: partIn(lookup),
        attempt: /^[1-9]\d{0,8}$/.test(attempt) ? Number(attempt) : null,
        signedAt: claim.signedAt === null ? null : new Date(claim.signedAt * 1000),
        secretIndex,
      };
    },
  };
}

interface SeenBody {
  bytes: number;
  readonly digest: Hash;
}

export function usableSecrets({ secret, secrets }: PushSecrets): readonly string[] {
  const given: readonly unknown[] = secrets ?? [secret];
  const usable = given.filter((value): value is string => typeof value === 'string' && value !== '');
  // An empty secret among several is refused, too: it is an unset variable and would verify nothing.
  if (usable.length === 0 || usable.length !== given.length) {
    throw new PushVerificationError(
      'secret_missing',
      'The secret to verify with is empty or not a string. Is the variable that should hold it set on this server?',
    );
  }
  return usable;
}

function checkTime(claim: SignatureClaim, tolerance: number | null | undefined, now: () => number): void {
  const allowed = tolerance === undefined ? DEFAULT_TOLERANCE_SECONDS : tolerance;
  if (claim.signedAt === null || allowed === null) return;
  if (!(allowed >= 0)) throw new RangeError('toleranceSeconds must be a number from 0, or null to check no time');
  const ageSeconds = Math.floor(now() / 1000) - claim.signedAt;
  if (Math.abs(ageSeconds) <= allowed) return;
  const [code, when] =
    ageSeconds > 0 ? (['timestamp_too_old', 'ago'] as const) : (['timestamp_too_new', 'ahead'] as const);
  throw new PushVerificationError(
    code,
    `The push was signed ${Math.abs(ageSeconds)} s ${when} by this server's clock, and ${allowed} s are allowed. Every attempt is signed anew: see whether this server's clock is right; else the request is a repetition by someone else.`,
    'webhook-timestamp',
  );
}

/** Compares all secrets with all signatures in constant time, without stopping at a match. */
function matchingMac(macs: readonly Hmac[], claim: SignatureClaim): number {
  const claimed = claim.signatures.map((text) => Buffer.from(text, 'utf8'));
  let found = -1;
  macs.forEach((mac, i) => {
    const expected = Buffer.from(mac.digest(claim.encoding), 'utf8');
    for (const signature of claimed) {
      // The length of a signature is not secret, and timingSafeEqual() throws on unequal lengths.
      if (signature.length === expected.length && timingSafeEqual(signature, expected) && found === -1) found = i;
    }
  });
  return found;
}

/**
 * Why nothing matched. `Content-Digest` distinguishes a changed body from a wrong secret. It is not signed, so it may
 * only explain a refusal.
 */
function mismatch(lookup: HeaderLookup, seen: SeenBody, secrets: readonly string[]): PushVerificationError {
  const sent = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(lookup('content-digest').join(','))?.[1];
  const length = lookup('content-length')[0];
  const changed =
    sent === undefined ? length !== undefined && Number(length) !== seen.bytes : sent !== seen.digest.digest('base64');
  if (changed) {
    const sizes = length === undefined ? '' : ` (${seen.bytes} bytes verified, ${length} sent)`;
    return new PushVerificationError(
      'body_altered',
      `The bytes that were verified are not the ones that were sent${sizes}. Verify the raw body, before anything parses, decodes or rewrites it: JSON.stringify(JSON.parse(body)) is not the same bytes.${inflatedHint(lookup)}`,
    );
  }
  const blanks = secrets.some((secret) => secret !== secret.trim())
    ? ' It begins or ends with white space: was it read from a file with a line break?'
    : '';
  if (sent !== undefined) {
    return new PushVerificationError(
      'wrong_secret',
      `The body arrived as it was sent, but was signed with another secret than ${secrets.length === 1 ? 'the one' : `the ${secrets.length}`} given here. Compare its last four characters with the sink's hint.${blanks}`,
    );
  }
  return new PushVerificationError(
    'signature_mismatch',
    `No signature matches. Either the secret is another one, or the body was parsed or rewritten before it was verified.${blanks}`,
  );
}

/** Body parsers often decompress what they provide as the raw body. */
function inflatedHint(lookup: HeaderLookup): string {
  return lookup('content-encoding').includes('gzip')
    ? ' This body came compressed, and is signed as it came: verify it before anything decompresses it.'
    : '';
}
