import { createHmac } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import type { BodyMac } from '../../../../src/data-sinks/core/signing/signature-scheme.js';
import { PushSigner, type SigningRequest } from '../../../../src/data-sinks/pipeline/push-signer.js';
import {
  type SecretRef,
  SecretUnreadableError,
  type SecretVault,
} from '../../../../src/data-sinks/ports/secret-vault.js';
import { PORT_WITHIN_MS } from '../../../../src/data-sinks/pipeline/within.js';

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

const request = (given: Partial<SigningRequest> = {}): SigningRequest => ({
  deliveryId: 'dlv_1',
  config: { authScheme: 'HmacSha256', username: null },
  secret: { secretId: 'sec_1', workspaceId: 'ws_1' },
  previousSecret: null,
  body: { whole: Buffer.from('the body'), open: () => chunks('the ', 'body') },
  ...given,
});

describe('the signer', () => {
  it('signs with the sink’s secret and the time of this attempt', async () => {
    const headers = await new PushSigner(vaultOf({ sec_1: SECRET }).vault, () => NOW_MS).sign(request());
    expect(headers).toMatchObject({
      'X-MT-Signature': `sha256=${createHmac('sha256', SECRET).update('the body').digest('hex')}`,
      'webhook-timestamp': '1779712496',
    });
  });

  it('signs a body that is streamed like one that is in memory', async () => {
    const signer = new PushSigner(vaultOf({ sec_1: SECRET }).vault, () => NOW_MS);
    const streamed = await signer.sign(request({ body: { whole: null, open: () => chunks('the ', 'body') } }));
    expect(streamed).toEqual(await signer.sign(request()));
  });

  it('does not read the body for a scheme that does not need it', async () => {
    const open = (): never => {
      throw new Error('read');
    };
    const signer = new PushSigner(vaultOf({ sec_1: 'token' }).vault, () => NOW_MS);
    const config = { authScheme: 'Bearer', username: null } as const;
    expect(await signer.sign(request({ config, body: { whole: null, open } }))).toEqual({
      Authorization: 'Bearer token',
    });
  });

  it('asks the vault once for all that sign together', async () => {
    const { vault, asked } = vaultOf({ sec_1: SECRET, sec_2: SECRET });
    const signer = new PushSigner(vault, () => NOW_MS);
    const other = { secret: { secretId: 'sec_2', workspaceId: 'ws_1' } };
    await Promise.all([signer.sign(request()), signer.sign(request(other))]);
    expect(asked).toEqual([['sec_1', 'sec_2']]);
  });

  it('does not let one secret that cannot be opened hold up the others', async () => {
    const { vault } = vaultOf({ sec_1: SECRET }, ['sec_broken']);
    const signer = new PushSigner(vault, () => NOW_MS);
    const broken = { secret: { secretId: 'sec_broken', workspaceId: 'ws_1' } };
    const [good, bad] = await Promise.allSettled([signer.sign(request()), signer.sign(request(broken))]);
    expect(good.status).toBe('fulfilled');
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'secret_unavailable' } });
  });

  it('says why a secret cannot be opened and with which key it was sealed, and does not call it missing', async () => {
    const { vault } = vaultOf({}, ['sec_1']);
    await expect(new PushSigner(vault, () => NOW_MS).sign(request())).rejects.toMatchObject({
      code: 'secret_unavailable',
      message: 'the vault cannot open sec_1 (secret_key_unknown, sealed with the key "k2024")',
    });
  });

  it('says why also when the vault does not tell the key', async () => {
    const reveal = async (): Promise<never> => {
      throw new SecretUnreadableError(new Map([['sec_1', 'secret_tampered']]));
    };
    const signer = new PushSigner({ reveal } as unknown as SecretVault, () => NOW_MS);
    await expect(signer.sign(request())).rejects.toMatchObject({
      message: 'the vault cannot open sec_1 (secret_tampered)',
    });
  });

  it.each([
    ['the first time', 0],
    ['when it is asked again for those that can be opened', 1],
  ])('fails when the vault never answers %s, and asks it anew for those who come after', async (_when, answers) => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      const { vault, asked } = vaultOf({ sec_1: SECRET }, ['sec_broken']);
      let calls = 0;
      const hangs = {
        reveal: (refs: readonly SecretRef[]) =>
          calls++ === answers ? new Promise<never>(() => undefined) : vault.reveal(refs),
      } as unknown as SecretVault;
      const signer = new PushSigner(hangs, () => NOW_MS);
      const broken = { secret: { secretId: 'sec_broken', workspaceId: 'ws_1' } };
      const hung = Promise.allSettled([signer.sign(request()), signer.sign(request(broken))]);
      while (calls <= answers) await new Promise((resolve) => setImmediate(resolve));
      const next = signer.sign(request());
      await jest.advanceTimersByTimeAsync(PORT_WITHIN_MS);
      expect(await hung).toMatchObject([
        { status: 'rejected', reason: { message: 'the vault did not answer within 10000 ms' } },
        { status: 'rejected' },
      ]);
      expect(await next).toHaveProperty('X-MT-Signature');
      expect(asked.at(-1)).toEqual(['sec_1']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('fails for a secret that the vault does not have, without naming any value', async () => {
    const signing = new PushSigner(vaultOf({}).vault, () => NOW_MS).sign(request());
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
  const previousSecret = (msLeft: number): SigningRequest['previousSecret'] => ({
    secretId: 'sec_old',
    expiresAt: new Date(NOW_MS + msLeft),
  });

  it('both secrets sign, asked for at once, until the last millisecond', async () => {
    const { vault, asked } = vaultOf({ sec_1: SECRET, sec_old: OLD });
    const headers = await new PushSigner(vault, () => NOW_MS).sign(request({ previousSecret: previousSecret(1) }));
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
      const signer = new PushSigner(vaultOf({ sec_1: SECRET, sec_old: OLD }).vault, () => NOW_MS);
      expect(await signer.sign(request({ previousSecret: previousSecret(left) }))).toEqual(
        await signer.sign(request()),
      );
    },
  );

  it('the time is that of signing: what was claimed before the end and is signed after it has one signature', async () => {
    let nowMs = NOW_MS;
    const { vault } = vaultOf({ sec_1: SECRET, sec_old: OLD });
    const slow = {
      reveal: async (refs: readonly SecretRef[]) => {
        const values = await vault.reveal(refs);
        nowMs += 10_000;
        return values;
      },
    } as unknown as SecretVault;
    const headers = await new PushSigner(slow, () => nowMs).sign(request({ previousSecret: previousSecret(10_000) }));
    expect(headers).not.toHaveProperty('X-MT-Signature-Previous');
    expect(headers['webhook-timestamp']).toBe(String(Math.floor((NOW_MS + 10_000) / 1000)));
  });

  it.each([
    ['is gone', 'the vault has no secret sec_old', vaultOf({ sec_1: SECRET })],
    ['cannot be opened', 'the vault cannot open sec_old', vaultOf({ sec_1: SECRET }, ['sec_old'])],
  ])(
    'an old one that %s fails on our side, since a receiver may know no other; after its end nobody misses it',
    async (_how, message, { vault }) => {
      const signer = new PushSigner(vault, () => NOW_MS);
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

describe('a signature over a body that is being made', () => {
  const digestsOf = (macs: readonly BodyMac[] | null, body: string) =>
    (macs ?? []).map(({ key, prefix }) => createHmac('sha256', key).update(`${prefix}${body}`).digest());
  const stage = (given: Partial<SigningRequest> = {}, values: Readonly<Record<string, string>> = { sec_1: SECRET }) => {
    const clock = { ms: NOW_MS };
    const signer = new PushSigner(vaultOf(values).vault, () => clock.ms);
    return { clock, signer, watch: signer.watch(request(given)) };
  };

  it('is the one that a pass of its own would make', async () => {
    const { signer, watch } = stage();
    watch.end(digestsOf(await watch.begin(), 'the body'));
    expect(watch.headers()).toEqual(await signer.sign(request()));
  });

  it('is none when the body took so long that its time is old', async () => {
    const { clock, watch } = stage();
    watch.end(digestsOf(await watch.begin(), 'the body'));
    // Signatures tell whole seconds.
    clock.ms = Math.floor(NOW_MS / 1000) * 1000 + 30_000;
    expect(watch.headers()).not.toBeNull();
    clock.ms += 1;
    expect(watch.headers()).toBeNull();
  });

  it('is none before the body is whole', async () => {
    const { watch } = stage();
    await watch.begin();
    expect(watch.headers()).toBeNull();
  });

  it('is not begun for a scheme that reads no body, nor while a secret is being rotated', async () => {
    const bearer = stage({ config: { authScheme: 'Bearer', username: null } });
    expect([await bearer.watch.begin(), bearer.watch.headers()]).toEqual([null, null]);
    const rotating = stage({ previousSecret: { secretId: 'sec_0', expiresAt: new Date(NOW_MS + 60_000) } });
    expect([await rotating.watch.begin(), rotating.watch.headers()]).toEqual([null, null]);
  });

  it('fails to begin without its secret', async () => {
    await expect(stage({}, {}).watch.begin()).rejects.toMatchObject({ code: 'secret_unavailable' });
  });
});
