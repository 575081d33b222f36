import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createIdFactory } from '../../domain/ids.js';
import type { SecretRef, SecretVault } from '../../ports/secret-vault.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

const newId = createIdFactory(Date.now, randomBytes);

/** References never used by an earlier run, so that the suite can run against a persistent vault. */
function newRef(): SecretRef {
  return { secretId: newId('secret'), workspaceId: newId('secret').replace('sec_', 'ws_') };
}

const VALUES: readonly string[] = [
  'a',
  'user:pass:word',
  ' spaces around, "quotes", \\ and \n breaks ',
  'пароль-密碼-🔐-e\u0301',
  'NUL \u0000 inside',
  '{"value":"json"}',
  `whsec_${'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'.repeat(2)}`,
  'x'.repeat(4096),
];

/** Conformance checks for a host's `SecretVault`. Every check uses new references and cleans up. */
export function secretVaultConformance(makeVault: Make<SecretVault>): readonly ConformanceCheck[] {
  return [...revealChecks(makeVault), ...storeChecks(makeVault), ...destroyChecks(makeVault)];
}

function revealChecks(makeVault: Make<SecretVault>): readonly ConformanceCheck[] {
  return checksOf(makeVault, {
    'gives back every value exactly as it was stored': async (vault) => {
      for (const value of VALUES) await withSecret(vault, value, (ref) => keeps(vault, ref, value));
    },
    'reveals many secrets in one call, each under its own id': async (vault) => {
      const refs = Array.from({ length: 64 }, newRef);
      for (const ref of refs) await vault.store(ref, `value of ${ref.secretId}`);
      const expected = new Map(refs.map(({ secretId }) => [secretId, `value of ${secretId}`]));
      assert.deepEqual(sorted(await vault.reveal(refs)), sorted(expected));
      for (const ref of refs) await vault.destroy(ref);
    },
    'answers an empty question with an empty map': async (vault) => {
      assert.equal((await vault.reveal([])).size, 0);
    },
    'leaves out a secret that does not exist': async (vault) => {
      await withSecret(vault, 'the one that exists', async (ref) => {
        assert.deepEqual([...(await vault.reveal([newRef(), ref]))], [[ref.secretId, 'the one that exists']]);
      });
    },
    'does not reveal a secret to another workspace': async (vault) => {
      await withSecret(vault, 'not yours', async ({ secretId }) => {
        assert.equal((await vault.reveal([{ ...newRef(), secretId }])).size, 0);
      });
    },
  });
}

function storeChecks(makeVault: Make<SecretVault>): readonly ConformanceCheck[] {
  return checksOf(makeVault, {
    'stores the same value again under the same reference without complaint': async (vault) => {
      await withSecret(vault, 'said twice', async (ref) => {
        await vault.store(ref, 'said twice');
        await keeps(vault, ref, 'said twice');
      });
    },
    'refuses another value under a reference that is taken, and keeps the first': async (vault) => {
      await withSecret(vault, 'the first', async (ref) => {
        await assert.rejects(vault.store(ref, 'the second'), { code: 'secret_ref_taken' });
        await keeps(vault, ref, 'the first');
      });
    },
    'never names a value in an error': async (vault) => {
      await withSecret(vault, 'first-9f2c', async (ref) => {
        const error: unknown = await vault.store(ref, 'second-71ab').catch((thrown: unknown) => thrown);
        assert.ok(error instanceof Error);
        const told = `${error.stack ?? error.message} ${JSON.stringify(error)} ${String(error.cause)}`;
        assert.doesNotMatch(told, /first-9f2c|second-71ab/);
      });
    },
  });
}

function destroyChecks(makeVault: Make<SecretVault>): readonly ConformanceCheck[] {
  return checksOf(makeVault, {
    'keeps no secret after it was destroyed': async (vault) => {
      const ref = newRef();
      await vault.store(ref, 'soon gone');
      await vault.destroy(ref);
      assert.equal((await vault.reveal([ref])).size, 0);
    },
    'destroys one secret and leaves the others': async (vault) => {
      await withSecret(vault, 'stays', async (ref) => {
        await withSecret(vault, 'goes', () => Promise.resolve());
        await keeps(vault, ref, 'stays');
      });
    },
    'takes no offence at destroying what is not there': async (vault) => {
      await vault.destroy(newRef());
    },
    'does not destroy a secret for another workspace': async (vault) => {
      await withSecret(vault, 'not yours to destroy', async (ref) => {
        await vault.destroy({ ...newRef(), secretId: ref.secretId });
        await keeps(vault, ref, 'not yours to destroy');
      });
    },
  });
}

async function withSecret(vault: SecretVault, value: string, use: (ref: SecretRef) => Promise<void>): Promise<void> {
  const ref = newRef();
  await vault.store(ref, value);
  try {
    await use(ref);
  } finally {
    await vault.destroy(ref);
  }
}

async function keeps(vault: SecretVault, ref: SecretRef, value: string): Promise<void> {
  assert.equal((await vault.reveal([ref])).get(ref.secretId), value);
}

function sorted(values: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}
