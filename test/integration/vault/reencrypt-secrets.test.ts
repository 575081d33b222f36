import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Queryable } from '../../../src/data-sinks/database/connection.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { SecretRef } from '../../../src/data-sinks/ports/secret-vault.js';
import { DatabaseSecretVault } from '../../../src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../../src/data-sinks/vault/key-ring.js';
import { reencryptSecrets, type ReencryptCounts } from '../../../src/data-sinks/vault/reencrypt-secrets.js';
import { keyEntry, VAULT_DATABASES, type VaultDatabase } from '../../support/vault/vault-databases.js';

const OLD = parseKeyRing(keyEntry('old', 1));
const BOTH = parseKeyRing(`${keyEntry('new', 2)},${keyEntry('old', 1)}`);
const NEW = parseKeyRing(keyEntry('new', 2));

let database: VaultDatabase;
let dataSource: DataSource;
let refs: readonly SecretRef[];

const valueOf = (ref: SecretRef): string => `value of ${ref.secretId}`;
const vaultWith = (keys: typeof OLD): DatabaseSecretVault =>
  new DatabaseSecretVault(databaseOf(dataSource), keys, randomBytes);

/** The data source, with something that another process does just before the n-th change of a row. */
function interrupted(at: number, meanwhile: () => Promise<unknown>): DataSource {
  let updates = 0;
  const { master } = dataSource.driver as unknown as { readonly master: Queryable };
  const query: Queryable['query'] = async (statement) => {
    if (statement.text.startsWith('UPDATE') && ++updates === at) await meanwhile();
    return master.query(statement);
  };
  return Object.create(dataSource, { driver: { value: { master: { query } } } }) as DataSource;
}

async function expectAllReadableWithNewKey(expected: readonly SecretRef[] = refs): Promise<void> {
  const values = await vaultWith(NEW).reveal(refs);
  expect(new Map(values)).toEqual(new Map(expected.map((ref) => [ref.secretId, valueOf(ref)])));
}

describe.each(VAULT_DATABASES)('on %s', (_database, open) => {
  beforeAll(async () => {
    database = await open();
    ({ dataSource } = database);
  });

  afterAll(async () => {
    await database.close();
  });

  beforeEach(async () => {
    await dataSource.query('DELETE FROM agent_data_source_secret');
    refs = Array.from({ length: 10 }, (_, i) => ({ secretId: `sec_${i}`, workspaceId: `ws_${i % 3}` }));
    for (const ref of refs) await vaultWith(OLD).store(ref, valueOf(ref));
  });

  describe('re-encrypting the secrets', () => {
    it('re-encrypts every secret with the first key, so that the old key can be removed', async () => {
      const report = await reencryptSecrets(dataSource, BOTH, randomBytes);
      expect(report).toEqual({
        reencrypted: 10,
        changedMeanwhile: 0,
        unreadable: 0,
        interrupted: false,
        secretsByKey: new Map([['new', 10]]),
      });
      await expectAllReadableWithNewKey();
    });

    it.each([1, 3, 5, 10, 11])('tells its progress after every batch of %d', async (batchSize) => {
      const seen: ReencryptCounts[] = [];
      const report = await reencryptSecrets(dataSource, BOTH, randomBytes, {
        batchSize,
        onProgress: (counts) => seen.push(counts),
      });
      expect(seen.map(({ reencrypted }) => reencrypted)).toEqual(
        Array.from({ length: Math.ceil(10 / batchSize) }, (_, i) => Math.min((i + 1) * batchSize, 10)),
      );
      expect(report.reencrypted).toBe(10);
    });

    it('changes nothing when it runs again', async () => {
      await reencryptSecrets(dataSource, BOTH, randomBytes);
      const before = await dataSource.query<unknown>('SELECT * FROM agent_data_source_secret ORDER BY id');
      expect(await reencryptSecrets(dataSource, BOTH, randomBytes)).toMatchObject({ reencrypted: 0 });
      expect(await dataSource.query<unknown>('SELECT * FROM agent_data_source_secret ORDER BY id')).toEqual(before);
    });

    it('stops when asked to, with every secret readable, and continues in the next run', async () => {
      const stop = new AbortController();
      const first = await reencryptSecrets(dataSource, BOTH, randomBytes, {
        batchSize: 4,
        onProgress: () => stop.abort(),
        signal: stop.signal,
      });
      expect(first).toMatchObject({ reencrypted: 4, interrupted: true });
      expect(first.secretsByKey).toEqual(
        new Map([
          ['new', 4],
          ['old', 6],
        ]),
      );
      expect((await vaultWith(BOTH).reveal(refs)).size).toBe(10);
      expect(await reencryptSecrets(dataSource, BOTH, randomBytes)).toMatchObject({
        reencrypted: 6,
        interrupted: false,
      });
      await expectAllReadableWithNewKey();
    });

    it('loses nothing when it dies between two rows', async () => {
      const dying = interrupted(6, () => Promise.reject(new Error('killed')));
      await expect(reencryptSecrets(dying, BOTH, randomBytes)).rejects.toThrow('killed');
      expect((await vaultWith(BOTH).reveal(refs)).size).toBe(10);
      expect(await reencryptSecrets(dataSource, BOTH, randomBytes)).toMatchObject({ reencrypted: 5 });
      await expectAllReadableWithNewKey();
    });

    it('does not restore a secret that was destroyed meanwhile', async () => {
      const [first, second, ...rest] = refs;
      if (!first || !second) throw new Error('no secrets');
      const racing = interrupted(2, () => vaultWith(BOTH).destroy(second));
      expect(await reencryptSecrets(racing, BOTH, randomBytes)).toMatchObject({ reencrypted: 9, changedMeanwhile: 1 });
      await expectAllReadableWithNewKey([first, ...rest]);
    });

    it('skips what another run has re-encrypted meanwhile', async () => {
      const racing = interrupted(1, () => reencryptSecrets(dataSource, BOTH, randomBytes));
      expect(await reencryptSecrets(racing, BOTH, randomBytes)).toMatchObject({ reencrypted: 0, changedMeanwhile: 10 });
      await expectAllReadableWithNewKey();
    });

    it('can run twice at once beside the service', async () => {
      const vault = vaultWith(BOTH);
      const serviceReads = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) expect((await vault.reveal(refs.slice(1))).size).toBe(9);
      };
      const [first] = refs;
      if (!first) throw new Error('no secrets');
      const [one, two] = await Promise.all([
        reencryptSecrets(dataSource, BOTH, randomBytes, { batchSize: 2 }),
        reencryptSecrets(dataSource, BOTH, randomBytes, { batchSize: 3 }),
        serviceReads(),
        vault.destroy(first),
      ]);
      const reencrypted = one.reencrypted + two.reencrypted;
      expect(reencrypted === 9 || reencrypted === 10).toBe(true);
      await expectAllReadableWithNewKey(refs.slice(1));
    });

    it('leaves unreadable secrets unchanged, counts them, and continues', async () => {
      await dataSource.query(`UPDATE agent_data_source_secret SET workspace_id = 'ws_x' WHERE id = 'sec_3'`);
      await dataSource.query(`UPDATE agent_data_source_secret SET key_id = 'lost' WHERE id = 'sec_4'`);
      const unreadable = `SELECT * FROM agent_data_source_secret WHERE id IN ('sec_3', 'sec_4') ORDER BY id`;
      const before = await dataSource.query<unknown>(unreadable);
      const report = await reencryptSecrets(dataSource, BOTH, randomBytes, { batchSize: 2 });
      expect(report).toMatchObject({ reencrypted: 8, unreadable: 2 });
      expect(report.secretsByKey).toEqual(
        new Map([
          ['lost', 1],
          ['new', 8],
          ['old', 1],
        ]),
      );
      expect(await dataSource.query<unknown>(unreadable)).toEqual(before);
    });
  });
});
