import type { HeaderLookup } from './push-headers.js';
import { singleHeader } from './push-headers.js';
import { PushVerificationError } from './push-verification-error.js';

/**
 * `standard-webhooks`: `webhook-id`, `webhook-timestamp`, `webhook-signature`; the delivery id and the time are signed
 * with the body, which prevents replay. `x-mt`: `X-MT-Signature` over the body alone.
 */
export type SignatureForm = 'standard-webhooks' | 'x-mt';

/** What the headers claim, not yet verified. */
export interface SignatureClaim {
  readonly form: SignatureForm;
  /** Text signed in front of the body. */
  readonly prefix: string;
  /** Encoded as `encoding`; one of them must match. */
  readonly signatures: readonly string[];
  readonly encoding: 'hex' | 'base64';
  readonly deliveryId: string | null;
  /** Seconds since 1970, or null when no time is signed. */
  readonly signedAt: number | null;
  key(secret: string): Buffer;
}

/** Parses the headers of one signature scheme. The verifier checks the time and the signature. */
export function readSignatureClaim(form: SignatureForm, lookup: HeaderLookup): SignatureClaim {
  return form === 'x-mt' ? readXmtClaim(lookup) : readStandardWebhooksClaim(lookup);
}

const XMT_VALUE = /^sha256=([0-9a-f]{64})$/;

function readXmtClaim(lookup: HeaderLookup): SignatureClaim {
  const value = required(lookup, 'X-MT-Signature');
  if (!XMT_VALUE.test(value)) {
    throw new PushVerificationError(
      'malformed_header',
      'X-MT-Signature is not "sha256=" and 64 lower-case hexadecimal digits. Does something on the way rewrite headers?',
      'X-MT-Signature',
    );
  }
  // During a rotation's overlap, this header is signed with the new secret and the second one with the old secret.
  const previous = singleHeader(lookup, 'X-MT-Signature-Previous') ?? '';
  const signatures = [value, previous].flatMap((text) => XMT_VALUE.exec(text)?.[1] ?? []);
  return {
    form: 'x-mt',
    prefix: '',
    signatures,
    encoding: 'hex',
    deliveryId: singleHeader(lookup, 'X-MT-Delivery-Id'),
    signedAt: null,
    key: (secret) => Buffer.from(secret, 'utf8'),
  };
}

const SUPPORTED_VERSION = 'v1,';

function readStandardWebhooksClaim(lookup: HeaderLookup): SignatureClaim {
  const id = required(lookup, 'webhook-id');
  const timestamp = required(lookup, 'webhook-timestamp');
  if (!/^(0|[1-9]\d{0,11})$/.test(timestamp)) {
    throw new PushVerificationError(
      'malformed_header',
      'webhook-timestamp is not a whole number of seconds since 1970.',
      'webhook-timestamp',
    );
  }
  const listed = lookup('webhook-signature').join(' ').split(' ').filter(Boolean);
  if (listed.length === 0) throw missing(lookup, 'webhook-signature');
  const signatures = listed
    .filter((text) => text.startsWith(SUPPORTED_VERSION))
    .map((text) => text.slice(SUPPORTED_VERSION.length));
  if (signatures.length === 0) {
    throw new PushVerificationError(
      'unsupported_signature',
      'webhook-signature has no signature of version v1. Update the receiver kit, or see whether something rewrites headers.',
      'webhook-signature',
    );
  }
  return {
    form: 'standard-webhooks',
    prefix: `${id}.${timestamp}.`,
    signatures,
    encoding: 'base64',
    deliveryId: id,
    signedAt: Number(timestamp),
    key: standardWebhooksKey,
  };
}

const GENERATED_PREFIX = 'whsec_';

/**
 * The decoded base64 part of a `whsec_` secret, or the UTF-8 bytes of any other secret. Invalid base64 counts as
 * another secret, as it does for the sender: a lenient decoder would turn `whsec_A` into an empty key, with which
 * anybody can sign.
 */
function standardWebhooksKey(secret: string): Buffer {
  const encoded = secret.startsWith(GENERATED_PREFIX) ? secret.slice(GENERATED_PREFIX.length) : '';
  const isBase64 = encoded.length > 0 && encoded.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  return isBase64 ? Buffer.from(encoded, 'base64') : Buffer.from(secret, 'utf8');
}

function required(lookup: HeaderLookup, name: string): string {
  const value = singleHeader(lookup, name);
  if (value === null || value === '') throw missing(lookup, name);
  return value;
}

function missing(lookup: HeaderLookup, name: string): PushVerificationError {
  return new PushVerificationError(
    'missing_header',
    `The header ${name} is missing. ${whyMissing(lookup, name)}`,
    name,
  );
}

function whyMissing(lookup: HeaderLookup, name: string): string {
  if (lookup('authorization').length > 0 && lookup('x-mt-signature').length === 0) {
    return 'An Authorization header did: the sink uses Bearer or Basic, which sign nothing. Set its authScheme to HmacSha256, or check with checkAuthorization().';
  }
  if (name !== 'X-MT-Signature' && lookup('x-mt-signature').length > 0) {
    return "X-MT-Signature did: see whether a proxy drops webhook-* headers, or verify with form 'x-mt', which has no replay protection.";
  }
  return 'Either this is not a push of ours or a proxy drops the header.';
}
