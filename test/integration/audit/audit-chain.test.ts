import { randomBytes } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createIdFactory } from '../../../src/data-sinks/domain/ids.js';
import { verifyAuditChains } from '../../../src/data-sinks/database/audit/audit-chain.js';
import { DatabaseAuditTrail } from '../../../src/data-sinks/database/audit/database-audit-trail.js';
import type { AuditEntry } from '../../../src/data-sinks/ports/audit-trail.js';
import { VAULT_DATABASES, type VaultDatabase } from '../../support/vault/vault-databases.js';

const entry = (workspaceId: string, n: number): AuditEntry => ({
  action: 'DATA_SINK_CHANGED',
  workspaceId,
  agentId: 'agt_1',
  dataSourceId: 'ads_1',
  deliveryId: null,
  actor: { type: 'token', id: 'tok_1' },
  ip: '203.0.113.9',
  details: { n, name: { from: 'a "quoted" name', to: 'ünï' } },
});

describe.each(VAULT_DATABASES)('the audit trail on %s', (_name, open) => {
  let database: VaultDatabase;
  let audit: DatabaseAuditTrail;

  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  beforeEach(async () => {
    await asOwner('DELETE FROM agent_data_source_audit', 'DELETE FROM agent_data_source_audit_head');
    audit = new DatabaseAuditTrail(databaseOf(database.dataSource.manager), createIdFactory(Date.now, randomBytes));
    await audit.record([entry('ws_b', 1), entry('ws_a', 1), entry('ws_b', 2), entry('ws_b', 3)]);
  });

  /** What only somebody who owns the table can do: work around the triggers. */
  async function asOwner(...statements: string[]): Promise<void> {
    await database.dataSource.query('ALTER TABLE agent_data_source_audit DISABLE TRIGGER USER');
    for (const statement of statements) await database.dataSource.query(statement);
    await database.dataSource.query('ALTER TABLE agent_data_source_audit ENABLE TRIGGER USER');
  }

  it('entries form one unbroken chain per workspace', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => audit.record([entry('ws_a', n), entry('ws_b', n)])));
    expect(await verifyAuditChains(database.dataSource.manager)).toEqual([]);
    const ends: unknown = await database.dataSource.query(
      'SELECT workspace_id, count(*)::int AS entries, max(seq)::int AS seq FROM agent_data_source_audit GROUP BY 1 ORDER BY 1',
    );
    expect(ends).toEqual([
      { workspace_id: 'ws_a', entries: 21, seq: 21 },
      { workspace_id: 'ws_b', entries: 23, seq: 23 },
    ]);
  });

  it.each([
    'UPDATE agent_data_source_audit SET ip = NULL',
    'DELETE FROM agent_data_source_audit',
    'TRUNCATE agent_data_source_audit',
  ])('refuses %s', async (statement) => {
    await expect(database.dataSource.query(statement)).rejects.toThrow('audit entries are kept as they are');
  });

  it.each([
    [
      'a changed detail',
      `UPDATE agent_data_source_audit SET details = '{"n":9}' WHERE workspace_id = 'ws_b' AND seq = 2`,
      { workspaceId: 'ws_b', seq: 2, problem: 'changed' },
    ],
    [
      'another actor',
      `UPDATE agent_data_source_audit SET actor_id = 'tok_2' WHERE workspace_id = 'ws_b' AND seq = 1`,
      { workspaceId: 'ws_b', seq: 1, problem: 'changed' },
    ],
    [
      'an entry taken out',
      `DELETE FROM agent_data_source_audit WHERE workspace_id = 'ws_b' AND seq = 2`,
      { workspaceId: 'ws_b', seq: 3, problem: 'missing' },
    ],
    [
      'the last entry cut off',
      `DELETE FROM agent_data_source_audit WHERE workspace_id = 'ws_b' AND seq = 3`,
      { workspaceId: 'ws_b', seq: 3, problem: 'cut' },
    ],
    [
      'a whole workspace taken out',
      `DELETE FROM agent_data_source_audit WHERE workspace_id = 'ws_a'`,
      { workspaceId: 'ws_a', seq: 1, problem: 'cut' },
    ],
  ])('detects %s, even by the table’s owner', async (_what, statement, expected) => {
    await asOwner(statement);
    expect(await verifyAuditChains(database.dataSource.manager)).toEqual([expected]);
  });
});
