import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Over which connection a worker was last seen: once the database has closed it, the worker is gone. */
export class KnowWorkersThatAreGone1765500000000 implements MigrationInterface {
  name = 'KnowWorkersThatAreGone1765500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE agent_data_source_worker ADD COLUMN backend_pid integer, ADD COLUMN backend_started_at timestamptz',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE agent_data_source_worker DROP COLUMN backend_started_at, DROP COLUMN backend_pid');
  }
}
