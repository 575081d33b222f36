import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { watchedDatabase } from '../../support/fake-database.js';
import { type Database, databaseOf } from '../../../src/data-sinks/database/database.js';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { DataSource } from 'typeorm';
import { SecretUnreadableError, type SecretRef } from '../../../src/data-sinks/ports/secret-vault.js';
import { secretVaultConformance } from '../../../src/data-sinks/testing/index.js';
import { DatabaseSecretVault } from '../../../src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../../src/data-sinks/vault/key-ring.js';
import { keyEntry, VAULT_DATABASES, type VaultDatabase } from '../../support/vault/vault-databases.js';

let database: VaultDatabase;
let dataSource: DataSource;
let count = 0;
const newRef = (): SecretRef => ({ secretId: `sec_${++count}`, workspaceId: 'ws_1' });

function makeVault(keyRing = keyEntry('k1', 1), ours = databaseOf(dataSource)): DatabaseSecretVault {
  return new DatabaseSecretVault(ours, parseKeyRing(keyRing), randomBytes);
}

/** Notes every statement with its parameters. */
function recording(statements: string[]): Database {
  return watchedDatabase(databaseOf(dataSource), (text, values) =>
    statements.push(inspect([text, values], { depth: 5, maxStringLength: null, maxArrayLength: null })),
  );
}

async function reasons(vault: DatabaseSecretVault, refs: readonly SecretRef[]): Promise<unknown> {
  const error: unknown = await vault.reveal(refs).catch((thrown: unknown) => thrown);
  return error instanceof SecretUnreadableError ? Object.fromEntries(error.reasons) : error;
}

describe.each(VAULT_DATABASES)('on %s', (_database, open) => {
  beforeAll(async () => {
    database = await open();
    ({ dataSource } = database);
  });

  afterAll(async () => {
    await database.close();
  });

  describe('the database vault keeps what the port promises', () => {
    it.each(secretVaultConformance(() => makeVault()).map(({ name, run }) => [name, run] as const))(
      '%s',
      async (_name, run) => {
        await expect(run()).resolves.toBeUndefined();
      },
    );
  });

  describe('the database vault', () => {
    it('stores and queries only ciphertexts', async () => {
      const statements: string[] = [];
      const vault = makeVault(undefined, recording(statements));
      const ref = newRef();
      const secret = 'a secret that is easy to find';
      await vault.store(ref, secret);
      await vault.store(ref, secret);
      await vault.reveal([ref]);
      const [row] = await dataSource.query<{ ciphertext: Buffer }[]>(
        'SELECT * FROM agent_data_source_secret WHERE id = $1',
        [ref.secretId],
      );
      expect(row).toMatchObject({ id: ref.secretId, workspace_id: 'ws_1', key_id: 'k1' });
      expect(row?.ciphertext).toHaveLength(12 + Buffer.byteLength(secret) + 16);
      expect(row?.ciphertext.includes('a secret')).toBe(false);
      const asked = statements.join('\n');
      for (const encoding of ['utf8', 'hex', 'base64'] as const) {
        expect(asked).not.toContain(Buffer.from(secret).toString(encoding));
      }
      expect(asked.replaceAll(/[< >]|Buffer/g, '')).not.toContain(Buffer.from(secret).toString('hex'));
    });

    it('reveals a batch with one statement, and an empty one with none', async () => {
      const statements: string[] = [];
      const vault = makeVault(undefined, recording(statements));
      const refs = Array.from({ length: 64 }, newRef);
      for (const ref of refs) await vault.store(ref, 'value');
      statements.length = 0;
      expect((await vault.reveal(refs)).size).toBe(64);
      expect(statements).toHaveLength(1);
      await vault.reveal([]);
      expect(statements).toHaveLength(1);
    });

    it('writes the secret in the sink’s transaction, and rolls back with it', async () => {
      const vault = makeVault();
      const [kept, lost] = [newRef(), newRef()];
      await dataSource.transaction((manager) => vault.store(kept, 'value', manager));
      await dataSource
        .transaction(async (manager) => {
          await vault.store(lost, 'value', manager);
          throw new Error('the sink could not be written');
        })
        .catch(() => undefined);
      expect([...(await vault.reveal([kept, lost])).keys()]).toEqual([kept.secretId]);
    });

    it('can continue the transaction after a reference that was taken', async () => {
      const vault = makeVault();
      const [taken, free] = [newRef(), newRef()];
      await vault.store(taken, 'first');
      await dataSource.transaction(async (manager) => {
        await expect(vault.store(taken, 'second', manager)).rejects.toMatchObject({ code: 'secret_ref_taken' });
        await vault.store(taken, 'first', manager);
        await vault.store(free, 'value', manager);
      });
      expect(Object.fromEntries(await vault.reveal([taken, free]))).toEqual({
        [taken.secretId]: 'first',
        [free.secretId]: 'value',
      });
    });

    it('refuses an invalid transaction before it writes anything', async () => {
      const vault = makeVault();
      const ref = newRef();
      await expect(vault.store(ref, 'value', { isolation: 'none' })).rejects.toThrow(TypeError);
      expect((await vault.reveal([ref])).size).toBe(0);
    });

    it('decrypts what an earlier first key encrypted, and encrypts with the new one', async () => {
      const [old, fresh] = [newRef(), newRef()];
      await makeVault(keyEntry('k1', 1)).store(old, 'old');
      const vault = makeVault(`${keyEntry('k2', 2)},${keyEntry('k1', 1)}`);
      await vault.store(fresh, 'fresh');
      expect([...(await vault.reveal([old, fresh])).values()].sort()).toEqual(['fresh', 'old']);
      expect(await reasons(makeVault(keyEntry('k1', 1)), [old, fresh])).toEqual({
        [fresh.secretId]: 'secret_key_unknown',
      });
    });

    it('reports the key id of a secret when that key is missing or different', async () => {
      const ref = newRef();
      await makeVault(keyEntry('k2024', 1)).store(ref, 'value');
      const explained = async (keyRing: string): Promise<string> => {
        const error: unknown = await makeVault(keyRing)
          .reveal([ref])
          .catch((thrown: unknown) => thrown);
        return error instanceof SecretUnreadableError ? error.explain(ref.secretId) : String(error);
      };
      expect(await explained(keyEntry('k1', 2))).toContain('(secret_key_unknown, sealed with the key "k2024")');
      expect(await explained(keyEntry('k2024', 2))).toContain('(secret_tampered, sealed with the key "k2024")');
    });

    it('names exactly the secrets that cannot be decrypted, so that the rest of a batch continues', async () => {
      const vault = makeVault();
      const [good, tampered, unknown] = [newRef(), newRef(), newRef()];
      for (const ref of [good, tampered]) await vault.store(ref, 'value');
      await makeVault(keyEntry('k9', 9)).store(unknown, 'value');
      await dataSource.query(
        `UPDATE agent_data_source_secret SET ciphertext = set_byte(ciphertext, 14, get_byte(ciphertext, 14) # 1) WHERE id = $1`,
        [tampered.secretId],
      );
      expect(await reasons(vault, [good, tampered, unknown])).toEqual({
        [tampered.secretId]: 'secret_tampered',
        [unknown.secretId]: 'secret_key_unknown',
      });
      expect([...(await vault.reveal([good]))]).toEqual([[good.secretId, 'value']]);
    });

    it.each([
      [
        'the ciphertext of another secret',
        'ciphertext = (SELECT ciphertext FROM agent_data_source_secret WHERE id = $2)',
      ],
      ['another workspace', `workspace_id = 'ws_2', id = id || substr($2, 1, 0)`],
      ['another key id', `key_id = 'k2', id = id || substr($2, 1, 0)`],
      ['an empty ciphertext', `ciphertext = ''::bytea, id = id || substr($2, 1, 0)`],
    ])('refuses a row that was given %s in the database', async (_what, change) => {
      const vault = makeVault(`${keyEntry('k1', 1)},${keyEntry('k2', 2)}`);
      const [victim, other] = [newRef(), newRef()];
      await vault.store(victim, 'value of the victim');
      await vault.store(other, 'value of the attacker');
      await dataSource.query(`UPDATE agent_data_source_secret SET ${change} WHERE id = $1`, [
        victim.secretId,
        other.secretId,
      ]);
      const refs = ['ws_1', 'ws_2'].map((workspaceId) => ({ ...victim, workspaceId }));
      expect(await reasons(vault, refs)).toEqual({ [victim.secretId]: 'secret_tampered' });
    });
  });
});
