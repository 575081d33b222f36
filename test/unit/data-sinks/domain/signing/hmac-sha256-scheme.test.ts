import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { generateHmacSecret } from '../../../../../src/data-sinks/domain/signing/hmac-sha256-scheme.js';
import { startSigning } from '../../../../../src/data-sinks/domain/signing/body-signer.js';
import { signatureScheme } from '../../../../../src/data-sinks/domain/signing/signature-schemes.js';
import { type SigningInput } from '../../../../../src/data-sinks/domain/signing/signature-scheme.js';
import { verifyPush } from '../../../../../src/receiver/index.js';

const scheme = signatureScheme('HmacSha256');
const input: SigningInput = {
  deliveryId: 'dlv_01J00000000000000000000001',
  timestamp: 1_779_712_496,
  secret: 'correct horse battery staple',
  previousSecret: null,
  username: null,
};

function sign(
  body: Uint8Array,
  given: Partial<SigningInput> = {},
  chunk = body.length || 1,
): Readonly<Record<string, string>> {
  const pass = startSigning(scheme, { ...input, ...given });
  for (let at = 0; at < body.length; at += chunk) pass.update(body.subarray(at, at + chunk));
  return pass.headers();
}

const hmac = (key: string | Buffer, text: string | Buffer) => createHmac('sha256', key).update(text);

describe('HmacSha256', () => {
  it('signs the raw body as RFC 4231 has it', () => {
    // Test case 2 of the RFC; the scheme itself does not judge the length of a secret.
    expect(sign(Buffer.from('what do ya want for nothing?'), { secret: 'Jefe' })['X-MT-Signature']).toBe(
      'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('sends both forms of signature, and nothing else', () => {
    const body = Buffer.from('{"jobId":"job_1"}');
    expect(sign(body)).toEqual({
      'X-MT-Signature': `sha256=${hmac(input.secret, body).digest('hex')}`,
      'webhook-id': input.deliveryId,
      'webhook-timestamp': '1779712496',
      'webhook-signature': `v1,${hmac(input.secret, `${input.deliveryId}.1779712496.${body.toString()}`).digest('base64')}`,
    });
  });

  it('passes the verification code of the contract', () => {
    const rawBody = Buffer.from('{"results":["é"]}');
    const header = sign(rawBody)['X-MT-Signature'] ?? '';
    expect(header.slice('sha256='.length)).toBe(createHmac('sha256', input.secret).update(rawBody).digest('hex'));
  });

  it.each([
    [
      'a generated secret: what its base64 stands for',
      `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      Buffer.alloc(32, 7),
    ],
    ['whsec_ and no base64: its own bytes', 'whsec_not base64 at all!', Buffer.from('whsec_not base64 at all!')],
    ['whsec_ alone: its own bytes', 'whsec_', Buffer.from('whsec_')],
    ['any other secret: its UTF-8 bytes', 'größer als sechzehn', Buffer.from('größer als sechzehn', 'utf8')],
  ])('keys webhook-signature with %s', (_what, secret, key) => {
    const signed = sign(Buffer.from('body'), { secret });
    const signature = hmac(key, `${input.deliveryId}.${input.timestamp}.body`).digest('base64');
    expect(signed['webhook-signature']).toBe(`v1,${signature}`);
    expect(signed['X-MT-Signature']).toBe(`sha256=${hmac(Buffer.from(secret, 'utf8'), 'body').digest('hex')}`);
  });

  it('gives the same headers for any chunking of the body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 301 }), (bytes, chunk) => {
        expect(sign(bytes, {}, chunk)).toEqual(sign(bytes));
      }),
    );
  });

  it('signs an empty body', () => {
    expect(sign(new Uint8Array())['X-MT-Signature']).toBe(`sha256=${hmac(input.secret, '').digest('hex')}`);
  });

  it('reads the body', () => {
    expect(scheme.readsBody).toBe(true);
  });
});

describe('an HMAC secret', () => {
  const tooShort = 'must be at least 16 bytes long for HmacSha256';
  const short = 'The secret is shorter than 32 bytes; 32 random bytes are recommended.';
  it.each([
    ['', tooShort, short],
    ['x'.repeat(15), tooShort, short],
    ['x'.repeat(16), null, short],
    ['é'.repeat(8), null, short],
    ['x'.repeat(31), null, short],
    ['x'.repeat(32), null, null],
    ['🏨'.repeat(8), null, null],
    [`whsec_${Buffer.alloc(24).toString('base64')}`, null, null],
    ['whsec_not base64 at all, but long enough', 'must be padded base64 after whsec_', null],
    [`whsec_${Buffer.alloc(32).toString('base64url')}`, 'must be padded base64 after whsec_', null],
    [`whsec_${'='.repeat(40)}`, 'must be padded base64 after whsec_', null],
  ])('%j has the problem %j and the warning %j', (secret, problem, warning) => {
    expect(scheme.secretProblem(secret, null)).toBe(problem);
    expect(scheme.secretWarning(secret)).toBe(warning);
  });

  it('made by us is whsec_ and the base64 of 32 random bytes, and has neither', () => {
    const secret = generateHmacSecret((size) => new Uint8Array(size).fill(255));
    expect(secret).toBe(`whsec_${Buffer.alloc(32, 255).toString('base64')}`);
    expect([scheme.secretProblem(secret, null), scheme.secretWarning(secret)]).toEqual([null, null]);
  });
});

describe('HmacSha256 with a previous secret', () => {
  const secret = generateHmacSecret((size) => new Uint8Array(size).fill(1));
  const previousSecret = generateHmacSecret((size) => new Uint8Array(size).fill(2));
  const body = Buffer.from('{"jobId":"job_1"}');
  const both = sign(body, { secret, previousSecret }, 5);
  const now = () => input.timestamp * 1000;

  it('signs with both, the new one first', () => {
    const [withNew, withOld] = [secret, previousSecret].map((one) => sign(body, { secret: one }));
    expect(both).toEqual({
      ...withNew,
      'X-MT-Signature-Previous': withOld?.['X-MT-Signature'],
      'webhook-signature': `${withNew?.['webhook-signature']} ${withOld?.['webhook-signature']}`,
    });
  });

  it.each(['standard-webhooks', 'x-mt'] as const)('is verified by the kit as %s with either one', (form) => {
    for (const known of [secret, previousSecret]) {
      expect(() => verifyPush({ rawBody: body, headers: both, secret: known, form, now })).not.toThrow();
    }
    const other = generateHmacSecret((size) => new Uint8Array(size).fill(3));
    expect(() => verifyPush({ rawBody: body, headers: both, secret: other, form, now })).toThrow();
  });

  it('is verified by standardwebhooks with either one', () => {
    const timestamp = Math.floor(Date.now() / 1000);
    const fresh = sign(body, { secret, previousSecret, timestamp });
    for (const known of [secret, previousSecret]) {
      expect(new Webhook(known).verify(body.toString(), fresh)).toEqual({ jobId: 'job_1' });
    }
  });
});
