import type { BodyMac, SignatureScheme, SigningInput } from './signature-scheme.js';

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
  macs(input) {
    const { secret, previousSecret } = input;
    return previousSecret === null
      ? macsOf(secret, input)
      : [...macsOf(secret, input), ...macsOf(previousSecret, input)];
  },
  headers({ deliveryId, timestamp }, [plain, standard, previousPlain, previousStandard]) {
    return {
      'X-MT-Signature': plainSignature(plain),
      ...(previousPlain && { 'X-MT-Signature-Previous': plainSignature(previousPlain) }),
      'webhook-id': deliveryId,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': previousStandard
        ? `${standardSignature(standard)} ${standardSignature(previousStandard)}`
        : standardSignature(standard),
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

function macsOf(secret: string, { deliveryId, timestamp }: SigningInput): readonly BodyMac[] {
  return [
    { key: secret, prefix: '' },
    { key: standardWebhooksKey(secret), prefix: `${deliveryId}.${timestamp}.` },
  ];
}

function plainSignature(digest: Buffer | undefined): string {
  return `sha256=${given(digest).toString('hex')}`;
}

function standardSignature(digest: Buffer | undefined): string {
  return `v1,${given(digest).toString('base64')}`;
}

function given(digest: Buffer | undefined): Buffer {
  if (!digest) throw new Error('the HMACs of a secret come in pairs');
  return digest;
}

/** The base64 part of a `whsec_` secret; any other secret's UTF-8 bytes (contract, section 6). */
function standardWebhooksKey(secret: string): Buffer {
  const encoded = secret.startsWith(GENERATED_PREFIX) ? secret.slice(GENERATED_PREFIX.length) : '';
  return isBase64(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret, 'utf8');
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
