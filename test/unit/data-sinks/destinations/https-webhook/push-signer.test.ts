import { createHmac } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import type { BodyMac } from '../../../../../src/data-sinks/domain/signing/signature-scheme.js';
import {
  PushSigner,
  type SignableBody,
  type SigningRequest,
} from '../../../../../src/data-sinks/destinations/https-webhook/push-signer.js';
import type { ServerClock } from '../../../../../src/data-sinks/database/server-clock.js';
import { SecretsInForce, type SecretsOfSink } from '../../../../../src/data-sinks/vault/secrets-in-force.js';
import {
  type SecretRef,
  SecretUnreadableError,
  type SecretVault,
} from '../../../../../src/data-sinks/ports/secret-vault.js';
import { BoundSecretVault } from '../../../../../src/data-sinks/ports/bound/index.js';
import { stub } from '../../../../support/stub.js';

const SECRET = 'correct horse battery staple';
const NOW_MS = 1_779_712_496_789;

/** A vault that knows some secrets, cannot open others, and notes what it is asked. */
function vaultOf(values: Readonly<Record<string, string>>, unreadable: readonly string[] = []) {
  const asked: string[][] = [];
  const reveal = async (refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> => {
    asked.push(refs.map(({ secretId }) => secretId));
    const broken = refs.filter(({ secretId }) => unreadable.includes(secretId));
    if (broken.length > 0)
      throw new SecretUnreadableError(
        new Map(broken.map(({ secretId }) => [secretId, 'secret_key_unknown'])),
        new Map(broken.map(({ secretId }) => [secretId, 'k2024'])),
      );
    return new Map(Object.entries(values).filter(([id]) => refs.some(({ secretId }) => secretId === id)));
  };
  return { asked, vault: { reveal } as unknown as SecretVault };
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** What is to be signed, and the names of the secrets to do it with. */
type Request = Pick<SigningRequest, 'deliveryId' | 'config'> & SecretsOfSink & { readonly body: SignableBody };

/** The signer with the secrets that a vault opens for it. */
class VaultSigner {
  readonly #signer: PushSigner;
  readonly #secrets: SecretsInForce;

  constructor(vault: SecretVault, clock: ServerClock) {
    this.#signer = new PushSigner(clock);
    this.#secrets = new SecretsInForce(vault, clock);
  }

  sign(given: Request) {
    return this.#signer.sign(this.#task(given));
  }

  watch(given: Request) {
    return this.#signer.watch(this.#task(given));
  }

  #task(given: Request): SigningRequest {
    return { ...given, overlapping: given.previousSecret !== null, secrets: () => this.#secrets.open(given) };
  }
}

const request = (given: Partial<Request> = {}): Request => ({
  deliveryId: 'dlv_1',
  config: { authScheme: 'HmacSha256', username: null },
  secret: { secretId: 'sec_1', workspaceId: 'ws_1' },
  previousSecret: null,
  body: { whole: Buffer.from('the body'), open: () => chunks('the ', 'body') },
  ...given,
});

describe('the signer', () => {
  it('signs with the sink’s secret and the time of this attempt', async () => {
    const headers = await new VaultSigner(vaultOf({ sec_1: SECRET }).vault, stub({ now: () => NOW_MS })).sign(
      request(),
    );
    expect(headers).toMatchObject({
      'X-MT-Signature': `sha256=${createHmac('sha256', SECRET).update('the body').digest('hex')}`,
      'webhook-timestamp': '1779712496',
    });
  });

  it('signs a streamed body like one in memory', async () => {
    const signer = new VaultSigner(vaultOf({ sec_1: SECRET }).vault, stub({ now: () => NOW_MS }));
    const streamed = await signer.sign(request({ body: { whole: null, open: () => chunks('the ', 'body') } }));
    expect(streamed).toEqual(await signer.sign(request()));
  });

  it('does not read the body for a scheme that does not sign it', async () => {
    const open = (): never => {
      throw new Error('read');
    };
    const signer = new VaultSigner(vaultOf({ sec_1: 'token' }).vault, stub({ now: () => NOW_MS }));
    const config = { authScheme: 'Bearer', username: null } as const;
    expect(await signer.sign(request({ config, body: { whole: null, open } }))).toEqual({
      Authorization: 'Bearer token',
    });
  });

  it('calls the vault once for deliveries that sign at the same time', async () => {
    const { vault, asked } = vaultOf({ sec_1: SECRET, sec_2: SECRET });
    const signer = new VaultSigner(vault, stub({ now: () => NOW_MS }));
    const other = { secret: { secretId: 'sec_2', workspaceId: 'ws_1' } };
    await Promise.all([signer.sign(request()), signer.sign(request(other))]);
    expect(asked).toEqual([['sec_1', 'sec_2']]);
  });

  it('signs the others when one secret cannot be decrypted', async () => {
    const { vault } = vaultOf({ sec_1: SECRET }, ['sec_broken']);
    const signer = new VaultSigner(vault, stub({ now: () => NOW_MS }));
    const broken = { secret: { secretId: 'sec_broken', workspaceId: 'ws_1' } };
    const [good, bad] = await Promise.allSettled([signer.sign(request()), signer.sign(request(broken))]);
    expect(good.status).toBe('fulfilled');
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'secret_unavailable' } });
  });

  it('reports why a secret cannot be decrypted and its key id, and does not call it missing', async () => {
    const { vault } = vaultOf({}, ['sec_1']);
    await expect(new VaultSigner(vault, stub({ now: () => NOW_MS })).sign(request())).rejects.toMatchObject({
      code: 'secret_unavailable',
      message: 'the vault cannot open sec_1 (secret_key_unknown, sealed with the key "k2024")',
    });
  });

  it('reports the reason even if the vault gives no key id', async () => {
    const reveal = async (): Promise<never> => {
      throw new SecretUnreadableError(new Map([['sec_1', 'secret_tampered']]));
    };
    const signer = new VaultSigner({ reveal } as unknown as SecretVault, stub({ now: () => NOW_MS }));
    await expect(signer.sign(request())).rejects.toMatchObject({
      message: 'the vault cannot open sec_1 (secret_tampered)',
    });
  });

  it.each([
    ['the first time', 0],
    ['when it is asked again for those that can be opened', 1],
  ])('fails when the vault never answers %s, and calls it again for later deliveries', async (_when, answers) => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      const { vault, asked } = vaultOf({ sec_1: SECRET }, ['sec_broken']);
      let calls = 0;
      const hangs = {
        reveal: (refs: readonly SecretRef[]) =>
          calls++ === answers ? new Promise<never>(() => undefined) : vault.reveal(refs),
      } as unknown as SecretVault;
      const signer = new VaultSigner(
        new BoundSecretVault(hangs, { answerMs: 10_000, sweepMs: 10_000 }),
        stub({ now: () => NOW_MS }),
      );
      const broken = { secret: { secretId: 'sec_broken', workspaceId: 'ws_1' } };
      const hung = Promise.allSettled([signer.sign(request()), signer.sign(request(broken))]);
      while (calls <= answers) await new Promise((resolve) => setImmediate(resolve));
      const next = signer.sign(request());
      await jest.advanceTimersByTimeAsync(10_000);
      expect(await hung).toMatchObject([
        { status: 'rejected', reason: { message: 'SecretVault.reveal() did not answer within 10000 ms' } },
        { status: 'rejected' },
      ]);
      expect(await next).toHaveProperty('X-MT-Signature');
      expect(asked.at(-1)).toEqual(['sec_1']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('fails for a secret that the vault does not have, without naming any value', async () => {
    const signing = new VaultSigner(vaultOf({}).vault, stub({ now: () => NOW_MS })).sign(request());
    await expect(signing).rejects.toMatchObject({
      code: 'secret_unavailable',
      message: 'the vault has no secret sec_1',
    });
  });
});

describe('during a rotation', () => {
  const OLD = 'the secret before, 32 bytes of it';
  const signedBy = (secret: string): string =>
    `sha256=${createHmac('sha256', secret).update('the body').digest('hex')}`;
  const previousSecret = (msLeft: number): Request['previousSecret'] => ({
    secretId: 'sec_old',
    expiresAt: new Date(NOW_MS + msLeft),
  });

  it('both secrets sign, fetched in one call, until the last millisecond of the overlap', async () => {
    const { vault, asked } = vaultOf({ sec_1: SECRET, sec_old: OLD });
    const headers = await new VaultSigner(vault, stub({ now: () => NOW_MS })).sign(
      request({ previousSecret: previousSecret(1) }),
    );
    expect(headers).toMatchObject({
      'X-MT-Signature': signedBy(SECRET),
      'X-MT-Signature-Previous': signedBy(OLD),
      'webhook-signature': expect.stringMatching(/^v1,\S+ v1,\S+$/),
    });
    expect(asked).toEqual([['sec_1', 'sec_old']]);
  });

  it.each([0, -1, -86_400_000])(
    'the old one does not, %p ms before its end, whatever the vault still holds',
    async (left) => {
      const signer = new VaultSigner(vaultOf({ sec_1: SECRET, sec_old: OLD }).vault, stub({ now: () => NOW_MS }));
      expect(await signer.sign(request({ previousSecret: previousSecret(left) }))).toEqual(
        await signer.sign(request()),
      );
    },
  );

  it('the time of signing decides: claimed before the end of the overlap and signed after it has one signature', async () => {
    let nowMs = NOW_MS;
    const { vault } = vaultOf({ sec_1: SECRET, sec_old: OLD });
    const slow = {
      reveal: async (refs: readonly SecretRef[]) => {
        const values = await vault.reveal(refs);
        nowMs += 10_000;
        return values;
      },
    } as unknown as SecretVault;
    const headers = await new VaultSigner(slow, stub({ now: () => nowMs })).sign(
      request({ previousSecret: previousSecret(10_000) }),
    );
    expect(headers).not.toHaveProperty('X-MT-Signature-Previous');
    expect(headers['webhook-timestamp']).toBe(String(Math.floor((NOW_MS + 10_000) / 1000)));
  });

  it.each([
    ['is gone', 'the vault has no secret sec_old', vaultOf({ sec_1: SECRET })],
    ['cannot be opened', 'the vault cannot open sec_old', vaultOf({ sec_1: SECRET }, ['sec_old'])],
  ])(
    'an old one that %s fails on our side, since a receiver may know no other; after its end nobody misses it',
    async (_how, message, { vault }) => {
      const signer = new VaultSigner(vault, stub({ now: () => NOW_MS }));
      await expect(signer.sign(request({ previousSecret: previousSecret(1) }))).rejects.toMatchObject({
        code: 'secret_unavailable',
        message: expect.stringContaining(message),
      });
      expect(await signer.sign(request({ previousSecret: previousSecret(0) }))).toMatchObject({
        'X-MT-Signature': signedBy(SECRET),
      });
    },
  );
});

describe('a signature computed while the body is built', () => {
  const digestsOf = (macs: readonly BodyMac[] | null, body: string) =>
    (macs ?? []).map(({ key, prefix }) => createHmac('sha256', key).update(`${prefix}${body}`).digest());
  const stage = (given: Partial<Request> = {}, values: Readonly<Record<string, string>> = { sec_1: SECRET }) => {
    const clock = { ms: NOW_MS };
    const signer = new VaultSigner(vaultOf(values).vault, stub({ now: () => clock.ms }));
    return { clock, signer, watch: signer.watch(request(given)) };
  };

  it('equals the signature of a separate pass', async () => {
    const { signer, watch } = stage();
    watch.end(digestsOf(await watch.begin(), 'the body'));
    expect(watch.headers()).toEqual(await signer.sign(request()));
  });

  it('is dropped when the build took so long that its timestamp is too old', async () => {
    const { clock, watch } = stage();
    watch.end(digestsOf(await watch.begin(), 'the body'));
    // Signatures tell whole seconds.
    clock.ms = Math.floor(NOW_MS / 1000) * 1000 + 30_000;
    expect(watch.headers()).not.toBeNull();
    clock.ms += 1;
    expect(watch.headers()).toBeNull();
  });

  it('is not available before the body is complete', async () => {
    const { watch } = stage();
    await watch.begin();
    expect(watch.headers()).toBeNull();
  });

  it('is not started for a scheme that does not sign, nor during a rotation', async () => {
    const bearer = stage({ config: { authScheme: 'Bearer', username: null } });
    expect([await bearer.watch.begin(), bearer.watch.headers()]).toEqual([null, null]);
    const rotating = stage({ previousSecret: { secretId: 'sec_0', expiresAt: new Date(NOW_MS + 60_000) } });
    expect([await rotating.watch.begin(), rotating.watch.headers()]).toEqual([null, null]);
  });

  it('fails to start without its secret', async () => {
    await expect(stage({}, {}).watch.begin()).rejects.toMatchObject({ code: 'secret_unavailable' });
  });
});
