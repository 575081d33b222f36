import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The external id of each workspace, made once, with which roles of its customers are assumed. */
export class NameWorkspacesToRoles1765800000000 implements MigrationInterface {
  name = 'NameWorkspacesToRoles1765800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE agent_data_source_workspace (
      workspace_id text NOT NULL CONSTRAINT pk_agent_data_source_workspace PRIMARY KEY,
      external_id text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE agent_data_source_workspace');
  }
}
