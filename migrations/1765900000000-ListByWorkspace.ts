import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds the sinks of a workspace, deleted ones too, whose deliveries one list shows. The list then reads the indexes by
 * sink that there are: an index of deliveries by workspace would be paid for three times by each delivery. All that is asked
 * for is in this index, so that no statistics make reading the table look cheaper.
 */
export class ListByWorkspace1765900000000 implements MigrationInterface {
  name = 'ListByWorkspace1765900000000';

  async up(runner: QueryRunner): Promise<void> {
    // IF NOT EXISTS: where sinks are many, the operator makes it before, CONCURRENTLY (docs/operations.md).
    await runner.query(
      `CREATE INDEX IF NOT EXISTS ix_agent_data_source_history ON agent_data_source (workspace_id, agent_id, id)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_agent_data_source_history');
  }
}
