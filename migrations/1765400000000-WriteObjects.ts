import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sinks that write objects. Attempts keep what became of each object, and what their process leaves behind should it die;
 * of the sinks of a workspace no two have one place.
 */
export class WriteObjects1765400000000 implements MigrationInterface {
  name = 'WriteObjects1765400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `ALTER TABLE agent_data_source_sync ADD COLUMN manifest_json jsonb, ADD COLUMN leftover jsonb`,
  `CREATE INDEX ix_agent_data_source_sync_leftover ON agent_data_source_sync (data_source_id, id)
     WHERE leftover IS NOT NULL`,
  `ALTER TABLE agent_data_source ADD COLUMN location text`,
  `CREATE UNIQUE INDEX ix_agent_data_source_location ON agent_data_source (workspace_id, location)
     WHERE deleted_at IS NULL`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_location`,
  `ALTER TABLE agent_data_source DROP COLUMN location`,
  `DROP INDEX ix_agent_data_source_sync_leftover`,
  `ALTER TABLE agent_data_source_sync DROP COLUMN leftover, DROP COLUMN manifest_json`,
];
