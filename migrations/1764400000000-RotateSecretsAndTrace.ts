import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the overlap of a rotation needs (the secret before, until when it signs, and whether its end was told), and the
 * trace that a completed job belongs to.
 */
export class RotateSecretsAndTrace1764400000000 implements MigrationInterface {
  name = 'RotateSecretsAndTrace1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `ALTER TABLE agent_data_source
     ADD COLUMN previous_secret_id text,
     ADD COLUMN previous_secret_hint text,
     ADD COLUMN previous_secret_expires_at timestamptz,
     ADD COLUMN previous_secret_told_at timestamptz`,
  // The sweeper looks every few seconds, and hardly ever finds one.
  `CREATE INDEX ix_agent_data_source_overlap
    ON agent_data_source (previous_secret_expires_at) WHERE previous_secret_expires_at IS NOT NULL`,
  `ALTER TABLE agent_data_source_job ADD COLUMN traceparent text, ADD COLUMN tracestate text`,
];

const DOWN = [
  `ALTER TABLE agent_data_source_job DROP COLUMN tracestate, DROP COLUMN traceparent`,
  `DROP INDEX ix_agent_data_source_overlap`,
  // The secrets themselves are then named by no sink: the version before destroys them within two hours.
  `ALTER TABLE agent_data_source
     DROP COLUMN previous_secret_told_at,
     DROP COLUMN previous_secret_expires_at,
     DROP COLUMN previous_secret_hint,
     DROP COLUMN previous_secret_id`,
];
