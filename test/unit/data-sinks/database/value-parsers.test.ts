import { describe, expect, it } from '@jest/globals';
import { timeOf, VALUE_PARSERS } from '../../../../src/data-sinks/database/value-parsers.js';

describe('the parsers of values', () => {
  it.each([
    ['bool', 16, 't', true],
    ['bool', 16, 'f', false],
    ['bytea in hex', 17, '\\x00ff5c', Buffer.from([0, 255, 92])],
    ['bytea with bytea_output = escape', 17, 'a\\000\\377\\\\', Buffer.from([97, 0, 255, 92])],
    ['bigint, beyond what a number holds', 20, '9007199254740993', '9007199254740993'],
    ['integer', 23, '-7', -7],
    ['double precision', 701, '0.1', 0.1],
    ['jsonb', 3802, '{"a":[1]}', { a: [1] }],
    ['numeric', 1700, '1.50', '1.50'],
    ['text[]', 1009, '{}', []],
    ['text[]', 1009, '{a,"b,\\"c\\"\\\\",NULL,"NULL",""}', ['a', 'b,"c"\\', null, 'NULL', '']],
    ['a type of the host’s', 90_000, 'as it is', 'as it is'],
  ])('read %s', (_type, id, text, expected) => {
    expect(VALUE_PARSERS.getTypeParser(id)(text)).toEqual(expected);
  });

  it.each([
    ['date', 1082],
    ['timestamp', 1114],
    ['timestamptz', 1184],
    ['interval', 1186],
  ])('refuse a %s, whose text form depends on session settings', (_type, id) => {
    expect(() => VALUE_PARSERS.getTypeParser(id)('30.11.2026')).toThrow(/read its milliseconds since 1970/);
  });

  it('convert milliseconds to a time, truncating fractions', () => {
    expect(timeOf(1_796_040_290_123.999)).toEqual(new Date(1_796_040_290_123));
    expect(timeOf(null)).toBeNull();
  });
});
