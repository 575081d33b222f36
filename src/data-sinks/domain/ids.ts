/**
 * An id is a prefix and a ULID (contract, section 3): 48 bits of milliseconds and 80 random bits in Crockford base 32.
 * Ids sort by creation time; keyset pagination relies on this.
 */
export const ID_PREFIXES = {
  dataSource: 'ads',
  delivery: 'dlv',
  attempt: 'syn',
  payload: 'pld',
  secret: 'sec',
  audit: 'aud',
  recovery: 'rcv',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** Creates the next id of a kind, e.g. `dlv_01J…`. Ids from one factory are unique and strictly increasing. */
export type IdFactory = (kind: IdKind) => string;

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_DIGITS = 16;

/**
 * @param now milliseconds since 1970; ids keep increasing even if this clock steps back
 * @param randomBytes cryptographically secure bytes
 */
export function createIdFactory(now: () => number, randomBytes: (size: number) => Uint8Array): IdFactory {
  let lastMs = -1;
  let digits: number[] = [];
  let time = '';
  return (kind) => {
    const ms = Math.max(now(), lastMs);
    if (ms === lastMs) {
      increment(digits);
    } else {
      lastMs = ms;
      time = encodeTime(ms);
      // The top digit starts below 16, so that incrementing within one millisecond cannot overflow.
      digits = Array.from(randomBytes(RANDOM_DIGITS), (byte, i) => byte & (i === 0 ? 15 : 31));
    }
    let text = `${ID_PREFIXES[kind]}_${time}`;
    for (const digit of digits) text += ALPHABET[digit];
    return text;
  };
}

/** The id of the so manieth thing of a kind, made at a time: the same each time, and the next one's comes after it. */
export function idFrom(kind: IdKind, ms: number, number: bigint): string {
  let text = '';
  for (let rest = number, i = 0; i < RANDOM_DIGITS; i++, rest /= 32n) text = `${ALPHABET[Number(rest % 32n)]}${text}`;
  return `${ID_PREFIXES[kind]}_${encodeTime(Math.floor(ms))}${text}`;
}

/** The smallest id that can be made at a time: where in an index what is younger begins. */
export function firstIdAt(kind: IdKind, ms: number): string {
  return `${ID_PREFIXES[kind]}_${encodeTime(Math.floor(ms))}${'0'.repeat(RANDOM_DIGITS)}`;
}

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const patterns = new Map<string, RegExp>();

/** Whether the text is a well-formed id of that kind. Does not check that it exists. */
export function isId(kind: IdKind, text: string): boolean {
  const prefix = ID_PREFIXES[kind];
  let pattern = patterns.get(prefix);
  if (!pattern) patterns.set(prefix, (pattern = new RegExp(`^${prefix}_${ULID}$`)));
  return pattern.test(text);
}

function increment(digits: number[]): void {
  for (let i = digits.length - 1; i >= 0; i--) {
    const next = (digits[i] ?? 0) + 1;
    digits[i] = next & 31;
    if (next < 32) return;
  }
}

function encodeTime(ms: number): string {
  let text = '';
  for (let rest = ms, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
    text = `${ALPHABET[rest % 32]}${text}`;
  }
  return text;
}
