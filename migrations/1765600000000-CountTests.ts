import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a sink was tested in the last minute, so that the limit of Tests holds over all processes. */
export class CountTests1765600000000 implements MigrationInterface {
  name = 'CountTests1765600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agent_data_source ADD COLUMN recent_tests timestamptz[] NOT NULL DEFAULT '{}'`);
    await runner.query(
      `CREATE INDEX ix_agent_data_source_tested ON agent_data_source (workspace_id) WHERE recent_tests <> '{}'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_agent_data_source_tested');
    await runner.query('ALTER TABLE agent_data_source DROP COLUMN recent_tests');
  }
}
