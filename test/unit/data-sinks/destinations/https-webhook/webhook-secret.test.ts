import { describe, expect, it } from '@jest/globals';
import { acceptSecret } from '../../../../../src/data-sinks/destinations/https-webhook/webhook-secret.js';
import type { AuthScheme } from '../../../../../src/data-sinks/domain/data-sink.js';

const bytes = (size: number) => new Uint8Array(size).fill(1);
const accept = (given: string | undefined, authScheme: AuthScheme, username: string | null = null) =>
  acceptSecret(given, { authScheme, username }, bytes);

describe('the secret of a new sink', () => {
  it('is generated for HmacSha256 if none is given', () => {
    const value = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    expect(accept(undefined, 'HmacSha256')).toEqual({ value, hint: '****AQE=', generated: true, warnings: [] });
  });

  it('is used as given', () => {
    const value = 'x'.repeat(32);
    expect(accept(value, 'HmacSha256')).toEqual({ value, hint: '****xxxx', generated: false, warnings: [] });
    expect(accept('token', 'Bearer')).toEqual({ value: 'token', hint: null, generated: false, warnings: [] });
    expect(accept('password', 'Basic', 'user')).toMatchObject({ value: 'password', hint: null, generated: false });
  });

  it('comes with a warning when it is shorter than recommended', () => {
    expect(accept('x'.repeat(16), 'HmacSha256').warnings).toEqual([
      'The secret is shorter than 32 bytes; 32 random bytes are recommended.',
    ]);
  });

  it.each([
    ['HmacSha256', 'short', '/secret/value', 'must be at least 16 bytes long for HmacSha256'],
    ['Bearer', undefined, '/secret', 'is required for Bearer'],
    ['Basic', undefined, '/secret', 'is required for Basic'],
    ['Basic', 'password', '/secret/value', 'must have the form user:password when config.username is absent'],
    ['Bearer', 'a b', '/secret/value', 'must be visible ASCII characters without spaces for Bearer'],
  ] as const)('for %s, given as %j, is refused at %s', (scheme, given, pointer, detail) => {
    expect(problemOf(() => accept(given, scheme))).toEqual({
      code: 'validation-failed',
      errors: [{ pointer, detail }],
    });
  });

  it.each([undefined, 'a b'])('given as %j, is refused where the request has it', (given) => {
    const refused = problemOf(() => acceptSecret(given, { authScheme: 'Bearer', username: null }, bytes, ''));
    expect(refused).toMatchObject({ errors: [{ pointer: '/value' }] });
  });
});

function problemOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    const { code, extras } = error as { code: string; extras: { errors: unknown } };
    return { code, errors: extras.errors };
  }
}
