import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createIdFactory, ID_PREFIXES, type IdKind, isId } from '../../../../src/data-sinks/domain/ids.js';

const AT = Date.UTC(2026, 4, 25, 12, 34, 56);
const fixedBytes = (value: number) => (size: number) => new Uint8Array(size).fill(value);

describe('an id', () => {
  it.each(Object.entries(ID_PREFIXES) as [IdKind, string][])(
    'of a %s begins with %s_ and goes on as a ULID',
    (kind, prefix) => {
      const id = createIdFactory(Date.now, randomBytes)(kind);
      expect(id).toMatch(new RegExp(`^${prefix}_[0-7][0-9A-HJKMNP-TV-Z]{25}$`));
      expect(isId(kind, id)).toBe(true);
    },
  );

  it('has the time in its first ten digits, like every ULID', () => {
    // The time and its digits that the implementations of ULID test with.
    const newId = createIdFactory(() => 1_469_918_176_385, fixedBytes(0));
    expect(newId('delivery')).toBe(`dlv_01ARYZ6S41${'0'.repeat(16)}`);
  });

  it('accepts the largest time that a ULID can hold', () => {
    expect(createIdFactory(() => 2 ** 48 - 1, fixedBytes(0))('delivery')).toBe(`dlv_7ZZZZZZZZZ${'0'.repeat(16)}`);
  });
});

describe('ids of one factory', () => {
  it('sort in order of creation, also within a millisecond', () => {
    let calls = 0;
    const newId = createIdFactory(() => AT + Math.floor(calls++ / 1000), randomBytes);
    const ids = Array.from({ length: 5_000 }, () => newId('attempt'));
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('keep increasing when the clock steps back', () => {
    const times = [AT, AT - 60_000, AT - 3_600_000, AT, AT + 1];
    const newId = createIdFactory(() => times.shift() ?? AT + 2, randomBytes);
    const ids = Array.from({ length: 6 }, () => newId('delivery'));
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(6);
  });

  it('carry over when the random part overflows', () => {
    const newId = createIdFactory(() => AT, fixedBytes(255));
    const [first, second] = [newId('delivery'), newId('delivery')];
    expect(first.slice(14)).toBe(`F${'Z'.repeat(15)}`);
    expect(second.slice(14)).toBe(`G${'0'.repeat(15)}`);
    expect(first < second).toBe(true);
  });
});

describe('isId()', () => {
  const valid = 'dlv_01ARYZ6S410000000000000000';
  it.each([
    ['another kind', 'ads_01ARYZ6S410000000000000000'],
    ['no prefix', valid.slice(4)],
    ['a digit too few', valid.slice(0, -1)],
    ['a digit too many', `${valid}0`],
    ['lower case', valid.toLowerCase()],
    ['a letter that Crockford leaves out', `${valid.slice(0, -1)}U`],
    ['a time beyond 48 bits', `dlv_8${valid.slice(5)}`],
    ['a line break at the end', `${valid}\n`],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(isId('delivery', valid)).toBe(true);
    expect(isId('delivery', text)).toBe(false);
  });
});
