import { describe, expect, it } from '@jest/globals';
import type { AuthScheme } from '../../../../../src/data-sinks/domain/data-sink.js';
import { startSigning } from '../../../../../src/data-sinks/domain/signing/body-signer.js';
import { signatureScheme } from '../../../../../src/data-sinks/domain/signing/signature-schemes.js';

function headers(scheme: AuthScheme, secret: string, username: string | null = null): Readonly<Record<string, string>> {
  const pass = startSigning(signatureScheme(scheme), {
    deliveryId: 'dlv_1',
    timestamp: 1,
    secret,
    previousSecret: null,
    username,
  });
  pass.update(Buffer.from('whatever'));
  return pass.headers();
}

describe('Bearer', () => {
  it('sends the token as it is, and no signature', () => {
    expect(headers('Bearer', 's3cr3t-token')).toEqual({ Authorization: 'Bearer s3cr3t-token' });
  });

  const problem = 'must be visible ASCII characters without spaces for Bearer';
  it.each([
    ['token', null],
    ['a.b-c_d~e+f/g==', null],
    ['', problem],
    ['two words', problem],
    ['tab\there', problem],
    ['injected\r\nX-Evil: 1', problem],
    ['end\n', problem],
    ['tökén', problem],
    ['nul\u0000', problem],
    ['\u007f', problem],
  ])('judges the secret %j with %j', (secret, expected) => {
    expect(signatureScheme('Bearer').secretProblem(secret, null)).toBe(expected);
    expect(signatureScheme('Bearer').secretWarning(secret)).toBeNull();
  });
});

describe('Basic', () => {
  it('sends the example of RFC 7617, from a user and a password or from both in the secret', () => {
    const expected = { Authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' };
    expect(headers('Basic', 'open sesame', 'Aladdin')).toEqual(expected);
    expect(headers('Basic', 'Aladdin:open sesame')).toEqual(expected);
  });

  const needsUser = 'must have the form user:password when config.username is absent';
  const notAscii = 'must be printable ASCII for Basic';
  it.each([
    ['user:password', null, null],
    ['user:pass:word', null, null],
    ['user:', null, null],
    ['password', null, needsUser],
    [':password', null, needsUser],
    ['', null, needsUser],
    ['password', 'user', null],
    ['with space', 'user', null],
    ['a:b', 'user', null],
    ['', 'user', notAscii],
    ['line\nbreak', 'user', notAscii],
    ['user:line\nbreak', null, notAscii],
    ['pässword', 'user', notAscii],
  ])('judges the secret %j of user %j with %j', (secret, username, expected) => {
    expect(signatureScheme('Basic').secretProblem(secret, username)).toBe(expected);
    expect(signatureScheme('Basic').secretWarning(secret)).toBeNull();
  });
});

it.each(['Bearer', 'Basic'] as const)('%s spares the pass over the body', (scheme) => {
  expect(signatureScheme(scheme).readsBody).toBe(false);
});
