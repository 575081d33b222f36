import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { ConfigurationError } from '../../../../src/data-sinks/domain/errors.js';
import { parseKeyRing } from '../../../../src/data-sinks/vault/key-ring.js';

const KEY_A = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64');
const KEY_B = Buffer.from(Array.from({ length: 32 }, (_, i) => i + 100)).toString('base64');

function refusal(text: string | undefined): ConfigurationError {
  try {
    parseKeyRing(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('parseKeyRing', () => {
  it('uses the first key for encryption and all keys for decryption', () => {
    const keys = parseKeyRing(`2026-b:${KEY_B},2026-a:${KEY_A}`);
    expect(keys.first.id).toBe('2026-b');
    expect(keys.find('2026-b')?.key.export().toString('base64')).toBe(KEY_B);
    expect(keys.find('2026-a')?.key.export().toString('base64')).toBe(KEY_A);
    expect(keys.find('2025')).toBeUndefined();
  });

  it.each([
    ['spaces and line breaks around entries', `  a:${KEY_A} ,\n b : ${KEY_B}\n`],
    ['keys without their padding', `a:${KEY_A.replace('=', '')},b:${KEY_B.replace('=', '')}`],
  ])('accepts %s', (_what, text) => {
    expect(parseKeyRing(text).find('b')).toBeDefined();
  });

  it.each([
    ['nothing', undefined, /VAULT_KEYS is empty/],
    ['an empty text', '  ', /VAULT_KEYS is empty/],
    ['a trailing comma', `a:${KEY_A},`, /Entry 2 of VAULT_KEYS is empty/],
    ['a key without an id', KEY_A, /Entry 1 .* has no ":"/],
    ['an empty id', `:${KEY_A}`, /Entry 1 .* needs an id/],
    ['an id with a space', `a,my key:${KEY_A}`, /Entry 1 .* has no ":"/],
    ['id and key the wrong way round', `${KEY_A}:a`, /Entry 1 .* needs an id/],
    ['an empty key', 'a:', /Entry 1 .* not base64/],
    ['a key in another alphabet', `a:${'*'.repeat(44)}`, /Entry 1 .* not base64/],
    ['a passphrase', 'a:correct horse battery staple', /Entry 1 .* not base64/],
    ['a short key', `a:${Buffer.alloc(16, 'k3y').toString('base64')}`, /Entry 1 .* 16 bytes and not of 32/],
    ['a long key', `a:${KEY_A},b:${Buffer.alloc(64, 'k3y').toString('base64')}`, /Entry 2 .* 64 bytes and not of 32/],
    ['a key of zeros', `a:${Buffer.alloc(32).toString('base64')}`, /Entry 1 .* not random/],
    ['the same id twice', `a:${KEY_A},a:${KEY_B}`, /Entries 1 and 2 .* the same id/],
    ['the same key twice', `a:${KEY_A},c:${KEY_B},b:${KEY_A}`, /Entries 1 and 3 .* the same key/],
  ])('refuses %s and names the entry', (_what, text, message) => {
    const error = refusal(text);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('openssl rand -base64 32');
  });

  it('names the source of the text', () => {
    const read = (text: string) => () => parseKeyRing(text, 'the option vaultKeys');
    expect(read('')).toThrow(/^the option vaultKeys is empty\. Set the option vaultKeys to id:base64/);
    expect(read(`a:${KEY_A},`)).toThrow(/^Entry 2 of the option vaultKeys is empty/);
  });

  it('never repeats part of a mistyped setting in its error', () => {
    const material = fc.base64String({ minLength: 12, maxLength: 60 });
    const template = fc.constantFrom('%', '%:a', 'a:%', 'a%:%', 'a:%:%', 'a:%,a:%', '%,', 'a %:a');
    fc.assert(
      fc.property(template, material, (shape, secret) => {
        const text = shape.replaceAll('%', secret);
        try {
          parseKeyRing(text);
        } catch (error) {
          expect(inspect(error)).not.toContain(secret);
        }
      }),
    );
  });

  it('reveals no key when it is printed or serialised', () => {
    const keys = parseKeyRing(`a:${KEY_A}`);
    const shown = inspect(keys, { depth: 9, showHidden: true }) + JSON.stringify(keys);
    expect(shown).not.toContain(KEY_A);
    expect(shown).not.toMatch(/00 ?01 ?02 ?03|0,\s*1,\s*2,\s*3/);
  });
});
