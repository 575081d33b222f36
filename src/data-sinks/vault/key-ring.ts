import { createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigurationError } from '../domain/errors.js';

export interface VaultKey {
  /** Stored with every ciphertext and authenticated with it. Not secret. */
  readonly id: string;
  /** 32 bytes. A key object does not reveal its bytes when printed or serialised. */
  readonly key: KeyObject;
}

/** The configured keys: the first encrypts, all decrypt. */
export interface KeyRing {
  readonly first: VaultKey;
  /** All keys by id, including the first. */
  readonly ids: readonly string[];
  find(keyId: string): VaultKey | undefined;
}

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const howTo = (setting: string): string =>
  `Set ${setting} to id:base64 entries separated by commas, the encrypting one first; ` +
  '"openssl rand -base64 32" makes the base64 of a new key.';

/**
 * Parses `id:base64,id2:base64`.
 * @param setting the source of the text, for errors
 * @throws ConfigurationError that refers to entries by position only: any text in a mistyped setting may be a key
 */
export function parseKeyRing(text: string | undefined, setting = 'VAULT_KEYS'): KeyRing {
  if (!text?.trim()) throw new ConfigurationError(`${setting} is empty. ${howTo(setting)}`);
  const keys = text.split(',').map((entry, i) => parseEntry(entry.trim(), i + 1, setting));
  refuseRepetition(keys, setting);
  const byId = new Map(keys.map((key) => [key.id, key]));
  const [first] = keys;
  if (!first) throw new ConfigurationError(`${setting} is empty. ${howTo(setting)}`);
  return { first, ids: [...byId.keys()], find: (keyId) => byId.get(keyId) };
}

function parseEntry(entry: string, position: number, setting: string): VaultKey {
  const refuse = (problem: string): ConfigurationError =>
    new ConfigurationError(`Entry ${position} of ${setting} ${problem}. ${howTo(setting)}`);

  if (entry === '') throw refuse('is empty');
  const colon = entry.indexOf(':');
  if (colon === -1) throw refuse('has no ":" between its id and its key');
  const [id, encoded] = [entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()];
  if (!KEY_ID.test(id)) throw refuse('needs an id of 1 to 64 letters, digits, dots, dashes or underscores');
  if (!BASE64.test(encoded)) throw refuse('has a key that is not base64');
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== KEY_BYTES) throw refuse(`has a key of ${bytes.length} bytes and not of ${KEY_BYTES}`);
  if (bytes.every((byte) => byte === bytes[0])) throw refuse('has a key that repeats one byte and so is not random');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, key };
}

/** If one key had two ids, a rotation could look done without changing anything. */
function refuseRepetition(keys: readonly VaultKey[], setting: string): void {
  keys.forEach((key, i) => {
    const earlier = keys.findIndex((other) => other.id === key.id || other.key.equals(key.key));
    if (earlier === i) return;
    const what = keys[earlier]?.id === key.id ? 'id' : 'key';
    throw new ConfigurationError(
      `Entries ${earlier + 1} and ${i + 1} of ${setting} have the same ${what}. ${howTo(setting)}`,
    );
  });
}
