import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { credentialMask } from '../../../../src/data-sinks/domain/credential-mask.js';

describe('a receiver that echoes the credential', () => {
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
    expect(credentialMask(authorization)(said)).toBe(shown);
  });
});

const inHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c] ?? c);
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** What writers of all kinds make of a text. */
const ESCAPES: Readonly<Record<string, (text: string) => string>> = {
  nothing: (text) => text,
  JSON: inJson,
  'JSON of PHP': (text) => inJson(text).replaceAll('/', '\\/'),
  'JSON of Go': (text) => inJson(text).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  HTML: inHtml,
  'HTML of Go': (text) => inHtml(text).replaceAll('&quot;', '&#34;'),
  'HTML in hexadecimal': (text) => inHtml(text).replaceAll('&#39;', '&#x27;').replaceAll('/', '&#x2F;'),
  'HTML, twice': (text) => inHtml(inHtml(text)),
  'JSON in HTML': (text) => inHtml(inJson(text)),
  'a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  'a part of a URL': encodeURIComponent,
  'a URL': encodeURI,
  'a URL in a URL': (text) => encodeURIComponent(encodeURIComponent(text)),
  'a URL in small letters': (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  'a string of Python': (text) => text.replaceAll("'", "\\'"),
};

/** Printable ASCII, as every credential is. */
const aCredential = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
  minLength: 12,
});

describe.each(Object.entries(ESCAPES))('a credential as echoed in %s', (_what, escaped) => {
  const TOKEN = 'tok&<en>"+/=\'x y-0123456789abcdef';

  it('is masked', () => {
    const said = `before ${escaped(TOKEN)} between ${escaped(TOKEN)} after`;
    expect(credentialMask(`Bearer ${TOKEN}`)(said)).toBe('before **** between **** after');
  });

  it('is masked when the excerpt ends inside it, and only there', () => {
    const mask = credentialMask(`Bearer ${TOKEN}`);
    const whole = escaped(TOKEN);
    for (let length = 2; length < whole.length; length++) {
      expect(mask(`text: ${whole.slice(0, length)}`, true)).toBe('text: ****');
    }
    expect(mask(`text: ${whole.slice(0, -1)} more`, true)).toBe(`text: ${whole.slice(0, -1)} more`);
  });
});

it('any credential is masked, however it is escaped', () => {
  const kinds = fc.constantFrom(...Object.keys(ESCAPES));
  fc.assert(
    fc.property(aCredential, kinds, (credential, kind) => {
      const said = `[${ESCAPES[kind]?.(credential) ?? ''}]`;
      expect(credentialMask(`Bearer ${credential}`)(said)).toMatch(/\*{4}/);
    }),
  );
});

// What a character's form ends with may belong to the next character.
it.each(Object.keys(ESCAPES))('a credential that looks escaped already is masked as echoed in %s', (kind) => {
  for (const credential of [
    '\\\\!!!!!!&!!!!!',
    'tok\\\\"&en',
    'a\\b\\\\\\c<d>"\\',
    '\\\\\\\\',
    'a%25b%2525',
    'a&amp;b&#38;',
    'a\\u0026',
  ]) {
    const shown = credentialMask(`Bearer ${credential}`)(`[${ESCAPES[kind]?.(credential) ?? ''}]`);
    // Of an escape something may be left over: it says nothing.
    expect(shown).toMatch(/^\[[\\%\d&#;amp]*(?:\*{4})+[\\%\d&#;amp]*\]$/);
  }
});

it('a complete response is not treated as truncated, and keeps a prefix of the credential', () => {
  expect(credentialMask('Bearer abcdefgh')('ends with abcd')).toBe('ends with abcd');
});

it.each([false, true])(
  'a text that nearly has a long credential everywhere is not searched to its end (cut: %s)',
  (isCut) => {
    const [credential, said] = ['<'.repeat(4_096), '&lt;'.repeat(4_095)];
    const startedAt = performance.now();
    expect(credentialMask(`Bearer ${credential}`)(said, isCut)).toBe('****');
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  },
);

// Each character may be the first, and each is written in its own ways.
it.each(Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i)))(
  'a password that begins with %j and has hardly a plain part is masked, however it is escaped',
  (first) => {
    const password = `${first}<&"a'%`;
    const mask = credentialMask(`Basic ${Buffer.from(`user:${password}`).toString('base64')}`);
    for (const escaped of Object.values(ESCAPES)) expect(mask(`x ${escaped(password)}.`)).toBe('x ****.');
  },
);

// More steps than are spent on any text, were each place looked at.
it.each(['#/e/#!', 'z#/e', '<e&>'])('a text is searched for %j only where it may begin', (password) => {
  const mask = credentialMask(`Basic ${Buffer.from(`user:${password}`).toString('base64')}`);
  const said = 'the quick brown fox jumps over the la-y dog, "again" '.repeat(5_000);
  expect(mask(said) === said).toBe(true);
  expect(mask(`${said}${encodeURIComponent(password)}.`) === `${said}****.`).toBe(true);
});
