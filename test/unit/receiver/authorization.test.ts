import { describe, expect, it } from '@jest/globals';
import { bearerScheme, basicScheme } from '../../../src/data-sinks/domain/signing/authorization-scheme.js';
import { checkAuthorization, type ExpectedAuthorization } from '../../../src/receiver/index.js';

const sent = {
  ...{ deliveryId: 'dlv_1', timestamp: 0, secret: 'token-of-the-sink' },
  ...{ previousSecret: null, username: null },
};
const bearer = bearerScheme.headers(sent, []);
const basic = basicScheme.headers({ ...sent, username: 'ünser' }, []);

describe('the Authorization of a push', () => {
  it('accepts what the sender sends', () => {
    expect(() => checkAuthorization(bearer, { bearer: 'token-of-the-sink' })).not.toThrow();
    const expected = { basic: { username: 'ünser', password: 'token-of-the-sink' } };
    expect(() => checkAuthorization(basic, expected)).not.toThrow();
  });

  it.each([
    ['unauthorized', 'another token', bearer, { bearer: 'token-of-another' }],
    ['unauthorized', 'another scheme', basic, { bearer: 'token-of-the-sink' }],
    ['unauthorized', 'another user', basic, { basic: { username: 'x', password: 'token-of-the-sink' } }],
    ['unauthorized', 'an empty one', { authorization: '' }, { bearer: 'token-of-the-sink' }],
    ['missing_header', 'none', {}, { bearer: 'token-of-the-sink' }],
    ['malformed_header', 'two', { authorization: ['Bearer a', 'Bearer b'] }, { bearer: 'a' }],
  ] as const)('is refused as %s: %s', (code, _name, headers, expected) => {
    expect(() => checkAuthorization(headers, expected)).toThrow(expect.objectContaining({ code }));
  });

  const pair = (user: unknown, password: unknown) => ({ basic: { username: user, password } });
  const sentFor = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  it.each([
    ['Bearer undefined', { bearer: undefined }],
    ['Bearer null', { bearer: null }],
    ['Bearer', { bearer: '' }],
    [sentFor('acme', 'undefined'), pair('acme', undefined)],
    [sentFor('undefined', 'undefined'), pair(undefined, undefined)],
    [sentFor('acme', ''), pair('acme', '')],
    [sentFor('', 'secret'), pair('', 'secret')],
    [sentFor('', ''), pair('', '')],
  ])('is never compared with an unset variable: "%s"', (authorization, expected) => {
    for (const headers of [{ authorization }, {}]) {
      expect(() => checkAuthorization(headers, expected as ExpectedAuthorization)).toThrow(
        expect.objectContaining({ code: 'secret_missing', statusCode: 500 }),
      );
    }
  });
});
