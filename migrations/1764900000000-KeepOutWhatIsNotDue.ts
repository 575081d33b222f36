import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The index of what is due holds what has a time. Parts that wait for others have none; and a statement that goes along
 * another index of what waits does not ask for a time that is set, so that this one, which is smaller, cannot be read
 * through in its place.
 */
export class KeepOutWhatIsNotDue1764900000000 implements MigrationInterface {
  name = 'KeepOutWhatIsNotDue1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // IF NOT EXISTS: on a large table the operator makes it before, CONCURRENTLY (docs/operations.md). Its name ends in _set
  // until it takes the place of the one before.
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_due_set
     ON agent_data_source_delivery (next_attempt_at)
     WHERE status IN ('PENDING', 'RETRYING') AND next_attempt_at IS NOT NULL`,
  `DROP INDEX ix_agent_data_source_delivery_due`,
  `ALTER INDEX ix_agent_data_source_delivery_due_set RENAME TO ix_agent_data_source_delivery_due`,
];

const DOWN = [
  `DROP INDEX ix_agent_data_source_delivery_due`,
  `CREATE INDEX ix_agent_data_source_delivery_due
     ON agent_data_source_delivery (next_attempt_at) WHERE status IN ('PENDING', 'RETRYING')`,
];
