import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { PushSigner, type SigningRequest } from '../../../../src/data-sinks/pipeline/push-signer.js';
import {
  type SecretRef,
  SecretUnreadableError,
  type SecretVault,
} from '../../../../src/data-sinks/ports/secret-vault.js';

const SECRET = 'correct horse battery staple';
const NOW_MS = 1_779_712_496_789;

/** A vault that knows some secrets, cannot open others, and notes what it is asked. */
function vaultOf(values: Readonly<Record<string, string>>, unreadable: readonly string[] = []) {
  const asked: string[][] = [];
  const reveal = async (refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> => {
    asked.push(refs.map(({ secretId }) => secretId));
    const broken = refs.filter(({ secretId }) => unreadable.includes(secretId));
    if (broken.length > 0)
      throw new SecretUnreadableError(new Map(broken.map(({ secretId }) => [secretId, 'secret_tampered'])));
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

  it('fails for a secret that the vault does not have, without naming any value', async () => {
    const signing = new PushSigner(vaultOf({}).vault, () => NOW_MS).sign(request());
    await expect(signing).rejects.toMatchObject({
      code: 'secret_unavailable',
      message: 'the vault has no secret sec_1',
    });
  });
});
