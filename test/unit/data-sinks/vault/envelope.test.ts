import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import type { SecretRef } from '../../../../src/data-sinks/ports/secret-vault.js';
import { EnvelopeError, open, seal, type SealedSecret } from '../../../../src/data-sinks/vault/envelope.js';
import { parseKeyRing } from '../../../../src/data-sinks/vault/key-ring.js';

const keyText = (id: string, start: number): string =>
  `${id}:${Buffer.from(Array.from({ length: 32 }, (_, i) => start + i)).toString('base64')}`;

const KEYS = parseKeyRing(`${keyText('k1', 0)},${keyText('k2', 50)}`);
const REF: SecretRef = { secretId: 'sec_01ARZ3NDEKTSV4RRFFQ69G5FAV', workspaceId: 'ws_1' };
const SECRET = 'sesam, öffne dich';

function refusal(ref: SecretRef, sealed: SealedSecret, keys = KEYS): EnvelopeError {
  try {
    open(keys, ref, sealed);
  } catch (error) {
    if (error instanceof EnvelopeError) return error;
    throw error;
  }
  throw new Error('was opened');
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

describe('the envelope', () => {
  // Made with Python's `cryptography`: the stored form must stay readable for as long as a database lives.
  it('stores nonce, ciphertext and tag as another implementation does', () => {
    const sealed = seal(KEYS.first, REF, SECRET, (size) => Uint8Array.from({ length: size }, (_, i) => 100 + i));
    expect(sealed.keyId).toBe('k1');
    expect(sealed.ciphertext.toString('hex')).toBe(
      '6465666768696a6b6c6d6e6f3b7ead0714c5765d88043986bf450e9421aa870a134a26f91675cc38e6f99fa94d6c',
    );
    expect(open(KEYS, REF, sealed)).toBe(SECRET);
  });

  it('decrypts what was encrypted, under either key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('k1', 'k2'), (value, keyId) => {
        const key = KEYS.find(keyId) ?? KEYS.first;
        expect(open(KEYS, REF, seal(key, REF, value, randomBytes))).toBe(value);
      }),
    );
  });

  it('makes a different ciphertext every time', () => {
    const made = new Set(Array.from({ length: 100 }, () => seal(KEYS.first, REF, SECRET, randomBytes).ciphertext));
    expect(new Set([...made].map((bytes) => bytes.toString('hex'))).size).toBe(100);
  });

  it('refuses a ciphertext with any flipped bit', () => {
    const sealed = seal(KEYS.first, REF, SECRET, randomBytes);
    for (let bit = 0; bit < sealed.ciphertext.length * 8; bit++) {
      const error = refusal(REF, { ...sealed, ciphertext: flipBit(sealed.ciphertext, bit) });
      expect(error.code).toBe('secret_tampered');
    }
  });

  it('refuses a ciphertext of any other length', () => {
    const sealed = seal(KEYS.first, REF, SECRET, randomBytes);
    for (let length = 0; length < sealed.ciphertext.length; length++) {
      expect(refusal(REF, { ...sealed, ciphertext: sealed.ciphertext.subarray(0, length) }).code).toBe(
        'secret_tampered',
      );
    }
    const longer = Buffer.concat([sealed.ciphertext, Buffer.from([0])]);
    expect(refusal(REF, { ...sealed, ciphertext: longer }).code).toBe('secret_tampered');
  });

  it.each<[string, Partial<SecretRef & SealedSecret>, string]>([
    ['moved to another secret', { secretId: 'sec_01ARZ3NDEKTSV4RRFFQ69G5FAW' }, 'secret_tampered'],
    ['moved to another workspace', { workspaceId: 'ws_2' }, 'secret_tampered'],
    ['labelled with another of our keys', { keyId: 'k2' }, 'secret_tampered'],
    ['labelled with a key that we do not have', { keyId: 'k3' }, 'secret_key_unknown'],
    ['labelled with no key', { keyId: '' }, 'secret_key_unknown'],
    ['labelled with a name that every object has', { keyId: '__proto__' }, 'secret_key_unknown'],
  ])('refuses a ciphertext that was %s', (_what, change, code) => {
    const changed = { ...REF, ...seal(KEYS.first, REF, SECRET, randomBytes), ...change };
    const error = refusal(changed, changed);
    expect(error.code).toBe(code);
    expect(error.secretId).toBe(changed.secretId);
  });

  it('refuses a ciphertext under another key of the same id', () => {
    const impostor = parseKeyRing(keyText('k1', 77));
    expect(refusal(REF, seal(KEYS.first, REF, SECRET, randomBytes), impostor).code).toBe('secret_tampered');
  });

  it('is bound to exactly one secret id and workspace', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '"', ',', '\\', ':', '['), maxLength: 5 });
    fc.assert(
      fc.property(part, part, part, part, (secretId, workspaceId, otherSecretId, otherWorkspaceId) => {
        fc.pre(secretId !== otherSecretId || workspaceId !== otherWorkspaceId);
        const sealed = seal(KEYS.first, { secretId, workspaceId }, SECRET, randomBytes);
        expect(refusal({ secretId: otherSecretId, workspaceId: otherWorkspaceId }, sealed).code).toBe(
          'secret_tampered',
        );
      }),
    );
  });

  it('names the secret that cannot be decrypted, and nothing of its content', () => {
    const sealed = seal(KEYS.first, REF, SECRET, randomBytes);
    const error = refusal(REF, { ...sealed, ciphertext: flipBit(sealed.ciphertext, 100) });
    expect(error.message).toBe(`secret_tampered: ${REF.secretId}`);
    expect(error.cause).toBeUndefined();
  });
});
