import { describe, expect, it, jest } from '@jest/globals';
import type { SecretRef, SecretVault } from '../../../../src/data-sinks/ports/secret-vault.js';
import { SecretsInForce } from '../../../../src/data-sinks/vault/secrets-in-force.js';
import { stub } from '../../../support/stub.js';

const OF_SINK = { secret: { secretId: 'sec_1', workspaceId: 'ws_1' }, previousSecret: null };

function openedBy() {
  const asked: string[] = [];
  const reveal = async (refs: readonly SecretRef[]): Promise<ReadonlyMap<string, string>> => {
    asked.push(...refs.map(({ workspaceId, secretId }) => `${workspaceId}/${secretId}`));
    return new Map(refs.map(({ secretId }) => [secretId, 'the value']));
  };
  return { asked, secrets: new SecretsInForce({ reveal } as unknown as SecretVault, stub({ now: () => 0 })) };
}

describe('the secrets in force', () => {
  it('are asked of the vault once a minute, since an id names no other value', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    try {
      const { asked, secrets } = openedBy();
      expect(await secrets.open(OF_SINK)).toMatchObject({ current: 'the value' });
      expect(await secrets.open(OF_SINK)).toMatchObject({ current: 'the value' });
      expect(asked).toEqual(['ws_1/sec_1']);
      jest.advanceTimersByTime(60_000);
      await secrets.open(OF_SINK);
      expect(asked).toEqual(['ws_1/sec_1', 'ws_1/sec_1']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('of one workspace are not taken for those of another', async () => {
    const { asked, secrets } = openedBy();
    await secrets.open(OF_SINK);
    await secrets.open({ ...OF_SINK, secret: { secretId: 'sec_1', workspaceId: 'ws_2' } });
    expect(asked).toEqual(['ws_1/sec_1', 'ws_2/sec_1']);
  });
});
