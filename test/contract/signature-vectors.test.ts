import { createHmac, timingSafeEqual } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { startSigning } from '../../src/data-sinks/domain/signing/body-signer.js';
import { hmacSha256Scheme } from '../../src/data-sinks/domain/signing/hmac-sha256-scheme.js';
import { createPushVerifier, PushVerificationError, verifyPush } from '../../src/receiver/index.js';
import type { SignatureVector } from './signature-vectors.js';
import { bodyOf, SIGNATURE_VECTORS } from './signature-vectors.js';

const table = (pick: (vector: SignatureVector) => boolean): [string, SignatureVector][] =>
  SIGNATURE_VECTORS.filter(pick).map((vector) => [vector.name, vector]);

const options = ({ headers, secrets, form, toleranceSeconds, now }: SignatureVector) => ({
  headers,
  secrets,
  form,
  toleranceSeconds,
  now: () => now * 1000,
});

function verdict(verify: () => unknown): string {
  try {
    verify();
    return 'valid';
  } catch (error) {
    if (error instanceof PushVerificationError) return error.code;
    throw error;
  }
}

describe('the receiver kit on the shared vectors', () => {
  it.each(table(() => true))('whole body: %s', (_name, vector) => {
    const rawBody = bodyOf(vector);
    expect(verdict(() => verifyPush({ ...options(vector), rawBody }))).toBe(vector.code ?? 'valid');
  });

  it.each(table(() => true))('byte by byte: %s', (_name, vector) => {
    const inBytes = () => {
      const verifier = createPushVerifier(options(vector));
      for (const byte of bodyOf(vector)) verifier.update(Uint8Array.of(byte));
      verifier.verify();
    };
    expect(verdict(inBytes)).toBe(vector.code ?? 'valid');
  });
});

describe('the sending side on the shared vectors', () => {
  const signed = (vector: SignatureVector, secret: string) => {
    const pass = startSigning(hmacSha256Scheme, {
      deliveryId: vector.headers['webhook-id'] ?? '',
      timestamp: Number(vector.headers['webhook-timestamp']),
      secret,
      previousSecret: null,
      username: null,
    });
    pass.update(bodyOf(vector));
    return pass.headers();
  };

  it.each(table(({ form, valid }) => form === 'standard-webhooks' && valid))(
    'webhook-signature: %s',
    (_name, vector) => {
      const given = (vector.headers['webhook-signature'] ?? '').split(' ');
      const made = vector.secrets.map((secret) => signed(vector, secret)['webhook-signature'] ?? '');
      expect(given.some((one) => made.includes(one))).toBe(true);
    },
  );

  it.each(table(({ form, valid }) => form === 'x-mt' && valid))('X-MT-Signature: %s', (_name, vector) => {
    const given = [vector.headers['X-MT-Signature'], vector.headers['X-MT-Signature-Previous']];
    const made = vector.secrets.map((secret) => signed(vector, secret)['X-MT-Signature']);
    expect(given.some((one) => made.includes(one))).toBe(true);
  });
});

describe('the sending side during a rotation, on the shared vectors', () => {
  const both = (name: string): { vector: SignatureVector; other: SignatureVector } => {
    const find = (known: string): SignatureVector => {
      const found = SIGNATURE_VECTORS.find((vector) => vector.name === `${name}, the ${known} one known`);
      if (!found) throw new Error(`there is no vector ${name}, the ${known} one known`);
      return found;
    };
    return { vector: find('new'), other: find('old') };
  };
  const sent = ({ vector, other }: ReturnType<typeof both>): Readonly<Record<string, string>> => {
    const pass = startSigning(hmacSha256Scheme, {
      deliveryId: vector.headers['webhook-id'] ?? 'dlv_of_nothing',
      timestamp: Number(vector.headers['webhook-timestamp'] ?? 0),
      secret: vector.secrets[0] ?? '',
      previousSecret: other.secrets[0] ?? '',
      username: null,
    });
    pass.update(bodyOf(vector));
    return pass.headers();
  };

  it('has both in webhook-signature, the new one first', () => {
    const pair = both('the old and the new signature during a rotation');
    expect(sent(pair)['webhook-signature']).toBe(pair.vector.headers['webhook-signature']);
  });

  it('has the new one in X-MT-Signature, the old one in X-MT-Signature-Previous', () => {
    const pair = both('X-MT-Signature of the new secret, the old one in the second header');
    expect(sent(pair)).toMatchObject(pair.vector.headers);
  });
});

describe('the npm package standardwebhooks on the shared vectors', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each(table(({ form }) => form === 'standard-webhooks'))('%s', (_name, vector) => {
    jest.useFakeTimers({ now: vector.now * 1000 });
    const accepted = vector.secrets.some((secret) => {
      const webhook = secret.startsWith('whsec_')
        ? new Webhook(secret)
        : new Webhook(new Uint8Array(Buffer.from(secret, 'utf8')), { format: 'raw' });
      try {
        webhook.verify(bodyOf(vector), { ...vector.headers }, { jsonParse: false });
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toBe(vector.standardwebhooks ?? vector.valid);
  });
});

describe('the check of the contract, with nothing but node:crypto', () => {
  it.each(table(({ form, secrets }) => form === 'x-mt' && secrets.length === 1))('%s', (_name, vector) => {
    const check = (signature = '') => {
      const expected = createHmac('sha256', vector.secrets[0] ?? '')
        .update(bodyOf(vector))
        .digest('hex');
      const given = Buffer.from(signature.replace(/^sha256=/, ''));
      return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected));
    };
    const { 'X-MT-Signature': signature, 'X-MT-Signature-Previous': previous } = vector.headers;
    // It does not insist on the prefix, and sees no harm in the second header coming alone.
    const lenient = ['X-MT-Signature without its prefix', 'X-MT-Signature missing, a right one in the second header'];
    expect(check(signature) || check(previous)).toBe(vector.valid || lenient.includes(vector.name));
  });
});
