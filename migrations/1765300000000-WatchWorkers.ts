import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which worker processes are alive, and since when a delivery is held up by a failure of our own side: its next attempt
 * moves with each back-off, and says nothing of how late it is.
 */
export class WatchWorkers1765300000000 implements MigrationInterface {
  name = 'WatchWorkers1765300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `CREATE TABLE agent_data_source_worker (
    id text NOT NULL CONSTRAINT pk_agent_data_source_worker PRIMARY KEY,
    name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
  )`,
  `ALTER TABLE agent_data_source_delivery ADD COLUMN IF NOT EXISTS own_failing_since timestamptz`,
  // IF NOT EXISTS: on a large table the operator makes both before, the index CONCURRENTLY (docs/operations.md).
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_own_failures
     ON agent_data_source_delivery (own_failing_since) WHERE own_failures > 0 AND status IN ('PENDING', 'RETRYING')`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_delivery_own_failures`,
  `ALTER TABLE agent_data_source_delivery DROP COLUMN own_failing_since`,
  `DROP TABLE agent_data_source_worker`,
];
