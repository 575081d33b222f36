import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { randomBytes } from 'node:crypto';
import { DatabaseSecretVault } from '../../../src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../../src/data-sinks/vault/key-ring.js';
import { rotateVault } from '../../../src/reference-host/cli/rotate-vault.js';
import { keyEntry, VAULT_DATABASES, type VaultDatabase } from '../../support/vault/vault-databases.js';

describe.each(VAULT_DATABASES)('rotating the vault on %s', (_database, open) => {
  let database: VaultDatabase;

  beforeAll(async () => {
    database = await open();
  });

  afterAll(async () => {
    await database.close();
  });

  beforeEach(async () => {
    await database.dataSource.query('DELETE FROM agent_data_source_secret');
    const vault = new DatabaseSecretVault(
      databaseOf(database.dataSource),
      parseKeyRing(keyEntry('old', 1)),
      randomBytes,
    );
    for (const secretId of ['sec_1', 'sec_2']) await vault.store({ secretId, workspaceId: 'ws_1' }, 'value');
  });

  async function rotate(vaultKeys: string, signal = new AbortController().signal) {
    const lines: string[] = [];
    const { dataSource } = database;
    const complete = await rotateVault({ dataSource, vaultKeys, print: (line) => lines.push(line), signal });
    return { complete, lines };
  }

  it('names the key that may be removed', async () => {
    expect(await rotate(`${keyEntry('new', 2)},${keyEntry('old', 1)}`)).toEqual({
      complete: true,
      lines: [
        '2 re-encrypted so far',
        '2 re-encrypted under new',
        '2 under new now',
        'no secret needs these keys any more: old',
      ],
    });
  });

  it('reports that it is incomplete when the old key was removed too early', async () => {
    expect(await rotate(keyEntry('new', 2))).toEqual({
      complete: false,
      lines: [
        '0 re-encrypted so far',
        '0 re-encrypted under new',
        '2 left as they cannot be read: tampered with, or their key is not configured',
        '2 under old now',
      ],
    });
  });

  it('reports that it was interrupted, and names no key that is still needed', async () => {
    expect(await rotate(`${keyEntry('new', 2)},${keyEntry('old', 1)}`, AbortSignal.abort())).toEqual({
      complete: false,
      lines: ['0 re-encrypted under new', 'interrupted: run it again to go on', '2 under old now'],
    });
  });
});
