import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { DatabaseSecretVault } from '../../../src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../../src/data-sinks/vault/key-ring.js';
import { keyEntry, VAULT_DATABASES, type VaultDatabase } from '../../support/vault/vault-databases.js';

const HOUR_MS = 3_600_000;

describe.each(VAULT_DATABASES)('on %s', (_database, open) => {
  let database: VaultDatabase;
  let dataSource: DataSource;
  let vault: DatabaseSecretVault;

  beforeAll(async () => {
    database = await open();
    ({ dataSource } = database);
    vault = new DatabaseSecretVault(databaseOf(dataSource), parseKeyRing(keyEntry('k1', 1)), randomBytes);
  });

  afterAll(() => database.close());

  async function stored(secretId: string, ageMinutes: number): Promise<void> {
    await vault.store({ secretId, workspaceId: 'ws_1' }, `the value of ${secretId}`);
    await dataSource.query(
      `UPDATE agent_data_source_secret SET created_at = now() - $2 * interval '1 minute' WHERE id = $1`,
      [secretId, ageMinutes],
    );
  }

  async function sinkNaming(secretId: string, deleted: boolean, previousSecretId: string | null = null): Promise<void> {
    await dataSource.query(
      `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, config_version,
                                      secret_id, secret_created_at, deleted_at, previous_secret_id)
       VALUES ($1, 'ws_1', 'agt_1', 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'A sink', '{}', 'JSON', $3, 1, $2, now(),
               CASE WHEN $4 THEN now() END, $5)`,
      [`ads_of_${secretId}`, secretId, deleted ? 'INACTIVE' : 'ACTIVE', deleted, previousSecretId],
    );
  }

  it('destroys unreferenced secrets when they are old enough', async () => {
    for (const [id, age] of [
      ['sec_orphan', 61],
      ['sec_young', 59],
      ['sec_used', 600],
      ['sec_used_before', 600],
      ['sec_deleted_before', 600],
      ['sec_deleted', 600],
    ] as const) {
      await stored(id, age);
    }
    await sinkNaming('sec_used', false, 'sec_used_before');
    await sinkNaming('sec_deleted', true, 'sec_deleted_before');
    expect(await vault.destroyUnreferenced(HOUR_MS)).toBe(3);
    const left = await dataSource.query<{ id: string }[]>('SELECT id FROM agent_data_source_secret ORDER BY id');
    expect(left).toEqual([{ id: 'sec_used' }, { id: 'sec_used_before' }, { id: 'sec_young' }]);
    expect(await vault.destroyUnreferenced(HOUR_MS)).toBe(0);
  });
});
