import { randomBytes } from 'node:crypto';

/** The prefixes of what the platform owns. */
export type HostIdPrefix = 'ws' | 'agt' | 'job' | 'tok' | 'row' | 'ref';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';

/** A prefix and a ULID, e.g. `agt_01J…`: 48 bits of milliseconds, 80 bits of randomness. */
export function newId(prefix: HostIdPrefix, nowMs = Date.now(), random: Uint8Array = randomBytes(16)): string {
  let time = '';
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = `${ALPHABET[rest % 32]}${time}`;
  return `${prefix}_${time}${Array.from(random, (byte) => ALPHABET[byte & 31]).join('')}`;
}

export function isHostId(prefix: HostIdPrefix, text: string): boolean {
  return new RegExp(`^${prefix}_${ULID}$`).test(text);
}
