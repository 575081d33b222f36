import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One more try for all deliveries of a sink that failed since a time: what was asked for, and how far it is. */
export class RecoverDeliveries1764600000000 implements MigrationInterface {
  name = 'RecoverDeliveries1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // delivered, failed and cancelled are those whose end was counted; of one that has not finished there are more.
  `CREATE TABLE agent_data_source_recovery (
    id text NOT NULL CONSTRAINT pk_agent_data_source_recovery PRIMARY KEY,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    data_source_id text NOT NULL,
    status text NOT NULL,
    reason text,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    total integer NOT NULL,
    redelivered integer NOT NULL DEFAULT 0,
    delivered integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    requested_by_type text NOT NULL,
    requested_by_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  )`,
  // One at a time per sink, whoever asks.
  `CREATE UNIQUE INDEX uq_agent_data_source_recovery_running
    ON agent_data_source_recovery (data_source_id) WHERE status = 'RUNNING'`,
  `CREATE INDEX ix_agent_data_source_recovery_unfinished ON agent_data_source_recovery (id) WHERE finished_at IS NULL`,
  `CREATE INDEX ix_agent_data_source_recovery_list ON agent_data_source_recovery (data_source_id, id)`,

  // IF NOT EXISTS: on large tables the operator makes both before, the index CONCURRENTLY (docs/operations.md).
  `ALTER TABLE agent_data_source_delivery ADD COLUMN IF NOT EXISTS recovery_id text`,
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_recovery
    ON agent_data_source_delivery (recovery_id, status) WHERE recovery_id IS NOT NULL`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_delivery_recovery`,
  `ALTER TABLE agent_data_source_delivery DROP COLUMN recovery_id`,
  `DROP TABLE agent_data_source_recovery`,
];
