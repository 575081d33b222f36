import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What waits is in the order of workspaces, and in each of its sinks: claims go from workspace to workspace. */
export class ClaimByWorkspace1765700000000 implements MigrationInterface {
  name = 'ClaimByWorkspace1765700000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // IF NOT EXISTS: on a large table the operator makes it before, CONCURRENTLY (docs/operations.md). Its name ends in _ws
  // until it takes the place of the one before.
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_waiting_ws
     ON agent_data_source_delivery (workspace_id, data_source_id, status, next_attempt_at)
     WHERE status IN ('PENDING', 'RETRYING')`,
  `DROP INDEX ix_agent_data_source_delivery_waiting`,
  `ALTER INDEX ix_agent_data_source_delivery_waiting_ws RENAME TO ix_agent_data_source_delivery_waiting`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_delivery_waiting`,
  `CREATE INDEX ix_agent_data_source_delivery_waiting
     ON agent_data_source_delivery (data_source_id, status, next_attempt_at) WHERE status IN ('PENDING', 'RETRYING')`,
];
