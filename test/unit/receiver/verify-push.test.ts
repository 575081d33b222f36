import { createHmac } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PushVerificationErrorCode, VerifyPushOptions } from '../../../src/receiver/index.js';
import { PUSH_VERIFICATION_ERRORS, PushVerificationError, verifyPush } from '../../../src/receiver/index.js';
import { signedBody } from './pushed-body.js';
import { DELIVERY_ID, NOW, OTHER_SECRET, PAYLOAD, SECRET, SIGNED_AT, signedPush } from './signed-push.js';

const { body, headers } = signedPush(JSON.stringify(PAYLOAD));
const base = { rawBody: body, headers, secret: SECRET, now: NOW };

function refusal(options: object): PushVerificationError {
  try {
    verifyPush(options as VerifyPushOptions);
  } catch (error) {
    if (error instanceof PushVerificationError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function without(...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

describe('an unchanged push', () => {
  it('is verified with its delivery id, attempt and time', () => {
    expect(verifyPush(base)).toEqual({
      form: 'standard-webhooks',
      deliveryId: DELIVERY_ID,
      attempt: 2,
      part: null,
      signedAt: new Date(SIGNED_AT * 1000),
      secretIndex: 0,
    });
  });

  it('is verified by X-MT-Signature, too, which has no time', () => {
    expect(verifyPush({ ...base, form: 'x-mt', now: () => 0 })).toMatchObject({
      form: 'x-mt',
      deliveryId: DELIVERY_ID,
      signedAt: null,
    });
  });

  it('has its part number', () => {
    expect(verifyPush({ ...base, headers: { ...headers, 'X-MT-Part': '3/12' } }).part).toEqual({ number: 3, of: 12 });
  });

  it('uses the signed id, not X-MT-Delivery-Id, which anyone could change', () => {
    const changed = { ...headers, 'X-MT-Delivery-Id': 'dlv_other' };
    expect(verifyPush({ ...base, headers: changed }).deliveryId).toBe(DELIVERY_ID);
  });

  it('reports which of several secrets matched', () => {
    expect(verifyPush({ ...base, secret: undefined, secrets: [OTHER_SECRET, SECRET] }).secretIndex).toBe(1);
  });

  it.each([
    [
      'lower-case names, as Node gives them',
      Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])),
    ],
    ['upper-case names', Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toUpperCase(), v]))],
    ['Headers of the Fetch API', new Headers(headers)],
    ['lists of values', Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, [v]]))],
    [
      'the signatures in two headers',
      { ...headers, 'webhook-signature': ['v1,old', headers['webhook-signature'] ?? ''] },
    ],
  ])('is found in headers given as %s', (_name, given) => {
    expect(verifyPush({ ...base, headers: given }).deliveryId).toBe(DELIVERY_ID);
  });

  it('may be given as text', () => {
    expect(verifyPush({ ...base, rawBody: body.toString('utf8') }).attempt).toBe(2);
  });

  it('may be of any age if the time is not checked', () => {
    expect(verifyPush({ ...base, now: () => 0, toleranceSeconds: null }).deliveryId).toBe(DELIVERY_ID);
  });

  it('has no attempt if X-MT-Attempt is missing or not a number', () => {
    expect(verifyPush({ ...base, headers: without('X-MT-Attempt') }).attempt).toBeNull();
    expect(verifyPush({ ...base, headers: { ...headers, 'X-MT-Attempt': '-1' } }).attempt).toBeNull();
  });
});

describe('a refused push says what to fix', () => {
  const reparsed = Buffer.from(JSON.stringify(PAYLOAD, null, 1));
  const cases: [PushVerificationErrorCode, string, object, RegExp][] = [
    ['body_already_parsed', 'an object for a body', { rawBody: PAYLOAD }, /before express\.json\(\)/],
    ['body_missing', 'no body', { rawBody: undefined }, /rawBody is not set/],
    ['secret_missing', 'an empty secret', { secret: '' }, /variable/],
    ['secret_missing', 'no secret', { secret: undefined }, /variable/],
    ['secret_missing', 'one of two secrets empty', { secret: undefined, secrets: [SECRET, ''] }, /variable/],
    ['secret_missing', 'an empty list of secrets', { secret: undefined, secrets: [] }, /variable/],
    ['missing_header', 'no headers', { headers: {} }, /not a push of ours/],
    ['missing_header', 'a Bearer sink', { headers: { authorization: 'Bearer x' } }, /authScheme to HmacSha256/],
    ['missing_header', 'webhook-* dropped', { headers: without('webhook-id') }, /form 'x-mt'/],
    [
      'malformed_header',
      'a time in words',
      { headers: { ...headers, 'webhook-timestamp': 'now' } },
      /webhook-timestamp/,
    ],
    ['malformed_header', 'two ids', { headers: { ...headers, 'webhook-id': ['a', 'b'] } }, /occurs 2 times/],
    ['malformed_header', 'base64', { form: 'x-mt', headers: { 'x-mt-signature': 'sha256=abc=' } }, /lower-case/],
    ['unsupported_signature', 'v9 only', { headers: { ...headers, 'webhook-signature': 'v9,abc' } }, /version v1/],
    ['timestamp_too_old', 'ten minutes later', { now: () => NOW() + 600_000 }, /600 s ago.*300 s are allowed/],
    ['timestamp_too_new', 'ten minutes before', { now: () => NOW() - 600_000 }, /600 s ahead/],
    ['timestamp_too_old', 'a second too late', { now: () => NOW() + 1000, toleranceSeconds: 0 }, /this server's clock/],
    ['body_altered', 'the body written anew', { rawBody: reparsed }, /not the same bytes/],
    [
      'body_altered',
      'another length and no digest',
      { rawBody: reparsed, headers: without('Content-Digest') },
      new RegExp(`${reparsed.length} bytes verified, ${body.length} sent`),
    ],
    ['wrong_secret', 'another secret', { secret: OTHER_SECRET }, /last four characters/],
    ['wrong_secret', 'a secret with a line break', { secret: `${SECRET}\n` }, /white space/],
    [
      'signature_mismatch',
      'nothing to tell by',
      { secret: OTHER_SECRET, headers: without('Content-Digest', 'Content-Length') },
      /Either the secret/,
    ],
  ];

  it.each(cases)('%s: %s', (code, _name, change, message) => {
    const error = refusal({ ...base, ...change });
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('never quotes a secret or a signature', () => {
    for (const [, , change] of cases) {
      const told = JSON.stringify(refusal({ ...base, ...change }).toProblem());
      for (const value of [SECRET, OTHER_SECRET, headers['X-MT-Signature'], headers['webhook-signature']]) {
        expect(told).not.toContain(value);
      }
    }
  });

  it('is answered with 5xx if the receiver is misconfigured, so that the sender retries, and with 4xx otherwise', () => {
    const retried = Object.entries(PUSH_VERIFICATION_ERRORS).filter(([, { statusCode }]) => statusCode >= 500);
    expect(retried.map(([code]) => code)).toEqual(['body_already_parsed', 'body_missing', 'secret_missing']);
  });

  it('throws if the tolerance is not a number', () => {
    expect(() => verifyPush({ ...base, toleranceSeconds: Number.NaN })).toThrow(RangeError);
    expect(() => verifyPush({ ...base, toleranceSeconds: -1 })).toThrow(RangeError);
  });
});

describe('a whsec_ secret', () => {
  it.each(['whsec_A', 'whsec_A=', 'whsec_A==', 'whsec_A===', 'whsec_==', 'whsec_'])(
    'never stands for an empty key, with which anybody can sign: %s',
    (secret) => {
      const timestamp = String(SIGNED_AT);
      const mac = createHmac('sha256', '').update(`dlv_forged.${timestamp}.`).update(body).digest('base64');
      const forged = {
        'webhook-id': 'dlv_forged',
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${mac}`,
      };
      expect(refusal({ ...base, headers: forged, secret }).code).toBe('signature_mismatch');
    },
  );

  it('gives the same key as for the sender, padded or not', () => {
    const encoded = fc.string({ unit: fc.constantFrom('A', 'z', '+', '/', '='), maxLength: 12 });
    fc.assert(
      fc.property(encoded, (text) => {
        const secret = `whsec_${text}`;
        expect(verifyPush({ ...base, ...signedPush(body, secret), secret }).deliveryId).toBe(DELIVERY_ID);
      }),
    );
  });
});

describe('a compressed push', () => {
  const compressed = signedBody('JSON;gzip', PAYLOAD.results);

  it('is verified by its bytes as received', () => {
    expect(verifyPush({ ...base, ...compressed, rawBody: compressed.body }).deliveryId).toBe(DELIVERY_ID);
  });

  it('is refused after decompression, with an explanation', () => {
    const refused = { ...base, headers: compressed.headers, rawBody: gunzipSync(compressed.body) };
    expect(() => verifyPush(refused)).toThrow(/came compressed, and is signed as it came/);
  });
});
