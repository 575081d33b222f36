import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a sink that was disabled by itself needs (why, since when, and from when its failures count anew), what retention
 * needs to find what has expired, and what tells a body that was built again from the one that was sent before.
 */
export class DisableSinksAndExpire1764300000000 implements MigrationInterface {
  name = 'DisableSinksAndExpire1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `ALTER TABLE agent_data_source
     ADD COLUMN disabled_reason text,
     ADD COLUMN disabled_at timestamptz,
     ADD COLUMN reactivated_at timestamptz`,
  `ALTER TABLE agent_data_source_delivery
     ADD COLUMN payload_body_id text,
     ADD COLUMN payload_previous_sha256 bytea`,
  // IF NOT EXISTS: on large tables the operator makes them before, CONCURRENTLY (docs/operations.md).
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_dead
    ON agent_data_source_delivery (data_source_id, settled_at) WHERE status = 'FAILED'`,
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_job_created ON agent_data_source_job (created_at)`,
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_payload_created ON agent_data_source_payload (created_at)`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_payload_created`,
  `DROP INDEX ix_agent_data_source_job_created`,
  `DROP INDEX ix_agent_data_source_delivery_dead`,
  `ALTER TABLE agent_data_source_delivery DROP COLUMN payload_previous_sha256, DROP COLUMN payload_body_id`,
  // A version that does not know DISABLED would send to it again: its owner decides when.
  `UPDATE agent_data_source SET status = 'INACTIVE' WHERE status = 'DISABLED'`,
  `ALTER TABLE agent_data_source DROP COLUMN reactivated_at, DROP COLUMN disabled_at, DROP COLUMN disabled_reason`,
];
