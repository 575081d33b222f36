import { createHmac, type Hmac } from 'node:crypto';
import type { SignatureScheme, SigningInput } from './signature-scheme.js';

/** Shorter secrets are refused (contract, section 3). */
export const MIN_HMAC_SECRET_BYTES = 16;
/** Shorter secrets are warned of: HMAC-SHA256's full strength needs as many bytes as its output has. */
export const RECOMMENDED_HMAC_SECRET_BYTES = 32;

const GENERATED_PREFIX = 'whsec_';

/** A generated secret: `whsec_` and the base64 of 32 random bytes (the form of Standard Webhooks). */
export function generateHmacSecret(randomBytes: (size: number) => Uint8Array): string {
  return `${GENERATED_PREFIX}${Buffer.from(randomBytes(RECOMMENDED_HMAC_SECRET_BYTES)).toString('base64')}`;
}

/**
 * `X-MT-Signature` over the raw body with the secret's UTF-8 bytes, and beside it the three headers of Standard
 * Webhooks, whose signature also covers the delivery's id and the time, for receivers that want replay protection. While
 * a secret is being rotated both come twice, made in the same pass over the body.
 */
export const hmacSha256Scheme: SignatureScheme = {
  readsBody: true,
  overlaps: true,
  begin(input) {
    const { deliveryId, timestamp, secret, previousSecret } = input;
    const current = hashesOf(secret, input);
    const previous = previousSecret === null ? null : hashesOf(previousSecret, input);
    const all = previous ? [current, previous] : [current];
    return {
      update(chunk) {
        for (const { plain, standard } of all) {
          plain.update(chunk);
          standard.update(chunk);
        }
      },
      headers: () => ({
        'X-MT-Signature': plainSignature(current),
        ...(previous && { 'X-MT-Signature-Previous': plainSignature(previous) }),
        'webhook-id': deliveryId,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': all.map(standardSignature).join(' '),
      }),
    };
  },
  secretProblem(secret) {
    if (Buffer.byteLength(secret) < MIN_HMAC_SECRET_BYTES) {
      return `must be at least ${MIN_HMAC_SECRET_BYTES} bytes long for HmacSha256`;
    }
    // Decoders differ in what they make of broken base64; the receiver's might find another key than ours.
    return secret.startsWith(GENERATED_PREFIX) && !isBase64(secret.slice(GENERATED_PREFIX.length))
      ? `must be padded base64 after ${GENERATED_PREFIX}`
      : null;
  },
  secretWarning(secret) {
    return Buffer.byteLength(secret) < RECOMMENDED_HMAC_SECRET_BYTES
      ? `The secret is shorter than ${RECOMMENDED_HMAC_SECRET_BYTES} bytes; ${RECOMMENDED_HMAC_SECRET_BYTES} random bytes are recommended.`
      : null;
  },
};

interface Hashes {
  readonly plain: Hmac;
  readonly standard: Hmac;
}

function hashesOf(secret: string, { deliveryId, timestamp }: SigningInput): Hashes {
  return {
    plain: createHmac('sha256', secret),
    standard: createHmac('sha256', standardWebhooksKey(secret)).update(`${deliveryId}.${timestamp}.`),
  };
}

function plainSignature({ plain }: Hashes): string {
  return `sha256=${plain.digest('hex')}`;
}

function standardSignature({ standard }: Hashes): string {
  return `v1,${standard.digest('base64')}`;
}

/** The base64 part of a `whsec_` secret; any other secret's UTF-8 bytes (contract, section 6). */
function standardWebhooksKey(secret: string): Buffer {
  const encoded = secret.startsWith(GENERATED_PREFIX) ? secret.slice(GENERATED_PREFIX.length) : '';
  return isBase64(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret, 'utf8');
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
