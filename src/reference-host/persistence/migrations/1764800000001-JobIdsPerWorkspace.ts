import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A job's id is unique within its workspace, as the module takes it; before, on the whole platform. */
export class JobIdsPerWorkspace1764800000001 implements MigrationInterface {
  name = 'JobIdsPerWorkspace1764800000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX uq_host_mapping_job_id`);
    await runner.query(
      `CREATE UNIQUE INDEX uq_host_mapping_job_id ON host_mapping_job (workspace_id, id) WHERE state = 'COMPLETED'`,
    );
  }

  /** Of several jobs of one id the first to complete stays. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX uq_host_mapping_job_id`);
    await runner.query(
      `WITH later AS (
         DELETE FROM host_mapping_job j
          WHERE state = 'COMPLETED' AND EXISTS (
            SELECT FROM host_mapping_job first
             WHERE first.id = j.id AND first.state = 'COMPLETED'
               AND (first.completed_at, first.number) < (j.completed_at, j.number))
         RETURNING number
       )
       DELETE FROM host_mapping_result r USING later WHERE r.job_number = later.number`,
    );
    await runner.query(`CREATE UNIQUE INDEX uq_host_mapping_job_id ON host_mapping_job (id) WHERE state = 'COMPLETED'`);
  }
}
