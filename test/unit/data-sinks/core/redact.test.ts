import { describe, expect, it } from '@jest/globals';
import { printableExcerpt, secretHint, withoutCredential } from '../../../../src/data-sinks/core/redact.js';

describe('what is shown of a secret', () => {
  it.each([
    ['', null],
    ['x'.repeat(11) + '1234', null],
    ['x'.repeat(12) + '1234', '****1234'],
    [`whsec_${'x'.repeat(40)}abc=`, '****abc='],
  ])('of %j is %j', (secret, hint) => {
    expect(secretHint(secret)).toBe(hint);
  });
});

describe('a receiver’s answer as text', () => {
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

describe('a receiver that echoes the credential it was sent', () => {
  const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

  it.each([
    ['the token', 'Bearer abc/123', 'token=abc/123!', 'token=****!'],
    ['the token, escaped by another JSON writer', 'Bearer abc/123', '"abc\\/123"', '"****"'],
    ['the token, in a URL', 'Bearer abc/123', '?t=abc%2F123', '?t=****'],
    ['the token, again and again', 'Bearer abcd', 'abcd abcdabcd', '**** ********'],
    ['what Basic makes of it', basic('user:pass-word'), `got ${basic('user:pass-word')}`, 'got Basic ****'],
    ['user and password', basic('user:pass-word'), 'user:pass-word', '****'],
    ['the password', basic('user:pass:word'), 'hello user, pass:word', 'hello user, ****'],
    ['a quote in it', basic('user:pass"word'), '{"p":"pass\\"word"}', '{"p":"****"}'],
    ['nothing of it', 'Bearer abcd', 'no', 'no'],
    ['a credential too short to tell from a word', basic('user:no'), 'no', 'no'],
    ['what it likes, when none was sent', undefined, 'Bearer abcd', 'Bearer abcd'],
  ])('has said %s', (_what, authorization, said, shown) => {
    expect(withoutCredential(said, authorization)).toBe(shown);
  });
});
