import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { SecretRef, SecretUnreadableReason } from '../ports/secret-vault.js';
import type { KeyRing, VaultKey } from './key-ring.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Cryptographically secure bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** A secret as stored. */
export interface SealedSecret {
  readonly keyId: string;
  /** nonce(12) || ciphertext || tag(16) */
  readonly ciphertext: Buffer;
}

/** One secret cannot be decrypted. Names the secret and the reason, never its content. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';

  constructor(
    readonly code: SecretUnreadableReason,
    readonly secretId: string,
  ) {
    super(`${code}: ${secretId}`);
  }
}

/**
 * Encrypts a secret with AES-256-GCM.
 * @param random makes the nonce, which must never repeat under one key: random nonces are safe for 2^32 secrets
 */
export function seal(key: VaultKey, ref: SecretRef, value: string, random: RandomBytes): SealedSecret {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(ref, key.id));
  const ciphertext = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { keyId: key.id, ciphertext };
}

/**
 * Decrypts a secret.
 * @throws EnvelopeError `secret_key_unknown` when its key is not configured; `secret_tampered` when the ciphertext, the
 *   reference or the key id has changed
 */
export function open(keys: KeyRing, ref: SecretRef, sealed: SealedSecret): string {
  const key = keys.find(sealed.keyId);
  if (!key) throw new EnvelopeError('secret_key_unknown', ref.secretId);
  const { ciphertext } = sealed;
  if (ciphertext.length < NONCE_BYTES + TAG_BYTES) throw new EnvelopeError('secret_tampered', ref.secretId);

  const tagAt = ciphertext.length - TAG_BYTES;
  const nonce = ciphertext.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(ref, key.id));
  decipher.setAuthTag(ciphertext.subarray(tagAt));
  const text = decipher.update(ciphertext.subarray(NONCE_BYTES, tagAt));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    // `final` throws only for a wrong tag; its error has no further details.
    throw new EnvelopeError('secret_tampered', ref.secretId);
  }
}

/** JSON makes the encoding of a reference unambiguous. Changing it makes every stored secret unreadable. */
function associatedData({ secretId, workspaceId }: SecretRef, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['data-sink-secret', 1, secretId, workspaceId, keyId]), 'utf8');
}
