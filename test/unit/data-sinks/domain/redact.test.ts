import { describe, expect, it } from '@jest/globals';
import { printableExcerpt, secretHint } from '../../../../src/data-sinks/domain/redact.js';

describe('the hint of a secret', () => {
  it.each([
    ['Bearer', null, '', null],
    ['Bearer', null, 'x'.repeat(11) + '1234', null],
    ['Bearer', null, 'x'.repeat(12) + '1234', '****1234'],
    ['HmacSha256', null, `whsec_${'x'.repeat(40)}abc=`, '****abc='],
    // Of a pair the password has to be long enough, however long the user's name is.
    ['Basic', null, 'longish-user-name:abcd', null],
    ['Basic', null, `user:${'x'.repeat(11)}abcd`, null],
    ['Basic', null, `user:${'x'.repeat(12)}abcd`, '****abcd'],
    // Of no other secret is a colon more than a character.
    ['Basic', 'user', `${'x'.repeat(12)}:abc`, '****:abc'],
    ['Bearer', null, `${'x'.repeat(30)}:`, '****xxx:'],
    ['HmacSha256', null, `${'x'.repeat(30)}:`, '****xxx:'],
  ] as const)('of %s with the username %j and %j is %j', (authScheme, username, secret, hint) => {
    expect(secretHint(secret, { authScheme, username })).toBe(hint);
  });
});

describe('a response as text', () => {
  it.each([
    ['plain text', Buffer.from('ok'), 'ok'],
    ['nothing', Buffer.alloc(0), ''],
    ['UTF-8', Buffer.from('größer 🏨'), 'größer 🏨'],
    ['NUL', Buffer.from([0x61, 0, 0x62]), 'a\uFFFDb'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'a\uFFFD\uFFFDb'],
    ['a character cut in half', Buffer.from('ü').subarray(0, 1), '\uFFFD'],
    ['markup', Buffer.from('<script>'), '<script>'],
  ])('keeps %s so that every store can hold it', (_what, bytes, expected) => {
    expect(printableExcerpt(bytes)).toBe(expected);
  });
});
