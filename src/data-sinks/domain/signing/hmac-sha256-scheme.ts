import type { BodyMac, SignatureScheme, SigningInput } from './signature-scheme.js';

/** Minimum length of a secret (contract, section 3). */
export const MIN_HMAC_SECRET_BYTES = 16;
/** Shorter secrets cause a warning: full strength of HMAC-SHA256 needs as many bytes as its output. */
export const RECOMMENDED_HMAC_SECRET_BYTES = 32;

const GENERATED_PREFIX = 'whsec_';

/** Generates a secret: `whsec_` and the base64 of 32 random bytes (as in Standard Webhooks). */
export function generateHmacSecret(randomBytes: (size: number) => Uint8Array): string {
  return `${GENERATED_PREFIX}${Buffer.from(randomBytes(RECOMMENDED_HMAC_SECRET_BYTES)).toString('base64')}`;
}

/**
 * `X-MT-Signature` is an HMAC of the raw body, keyed with the secret's UTF-8 bytes. The three headers of Standard
 * Webhooks come beside it; their signature also covers the delivery id and the time, for protection against replay.
 * During a rotation's overlap both are made with both secrets, in one pass over the body.
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
    // Decoders treat broken base64 differently; the receiver's might derive another key.
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
  if (!digest) throw new Error('each secret needs two HMACs');
  return digest;
}

/** The decoded base64 part of a `whsec_` secret, or the UTF-8 bytes of any other secret (contract, section 6). */
function standardWebhooksKey(secret: string): Buffer {
  const encoded = secret.startsWith(GENERATED_PREFIX) ? secret.slice(GENERATED_PREFIX.length) : '';
  return isBase64(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret, 'utf8');
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
