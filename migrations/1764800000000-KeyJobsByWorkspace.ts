import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A job's id is unique within its workspace: completions, bodies and deliveries are keyed by both, and a delivery refers
 * to a completion of its own workspace or does not exist.
 *
 * The version before keyed them by the job alone, and does not run on with this one. Of two workspaces with one job id it
 * kept the completion of the first it heard of; deliveries that it made of that one for sinks of another workspace are
 * removed, and so are the bodies of such jobs, whose rows may be either's. Their attempts and audit entries stay.
 */
export class KeyJobsByWorkspace1764800000000 implements MigrationInterface {
  name = 'KeyJobsByWorkspace1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const COMPLETION_OF_DELIVERY = `
SELECT FROM agent_data_source_job j
 WHERE j.workspace_id = d.workspace_id AND j.job_id = d.job_id AND j.run = d.run`;

// IF NOT EXISTS: on large tables the operator makes these before, CONCURRENTLY (docs/operations.md). Names end in _ws
// until they take the place of the ones before.
const UP = [
  `CREATE UNIQUE INDEX IF NOT EXISTS pk_agent_data_source_job_ws
    ON agent_data_source_job (workspace_id, job_id, run)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS uq_agent_data_source_delivery_part_ws
    ON agent_data_source_delivery (workspace_id, job_id, data_source_id, run, part)`,
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_body_ws
    ON agent_data_source_delivery (workspace_id, job_id, recipe) WHERE part_count > 1`,

  // Whoever was pushed another workspace's completion: nobody can tell whose rows the bodies of that job hold.
  `DELETE FROM agent_data_source_payload p
    WHERE EXISTS (
      SELECT FROM agent_data_source_delivery d
        JOIN agent_data_source_job j ON j.job_id = d.job_id AND j.run = d.run AND j.workspace_id <> d.workspace_id
       WHERE d.job_id = p.job_id AND d.run = p.run)`,
  `ALTER TABLE agent_data_source_payload ADD COLUMN IF NOT EXISTS workspace_id text`,
  `UPDATE agent_data_source_payload p SET workspace_id = j.workspace_id
     FROM agent_data_source_job j
    WHERE p.workspace_id IS NULL AND j.job_id = p.job_id AND j.run = p.run`,
  // Of a completion that is no longer kept: no delivery can ask for it. Its chunks belong to no body then, and are swept.
  `DELETE FROM agent_data_source_payload WHERE workspace_id IS NULL`,
  `CREATE UNIQUE INDEX IF NOT EXISTS pk_agent_data_source_payload_ws
    ON agent_data_source_payload (workspace_id, job_id, run, format)`,

  // Where the operator has made and validated the foreign key before, no delivery is left to be looked for.
  `DO $$
   BEGIN
     IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'fk_agent_data_source_delivery_job'
                       AND conrelid = 'agent_data_source_delivery'::regclass) THEN
       DELETE FROM agent_data_source_delivery d WHERE NOT EXISTS (${COMPLETION_OF_DELIVERY});
       ALTER TABLE agent_data_source_delivery
         ADD CONSTRAINT fk_agent_data_source_delivery_job FOREIGN KEY (workspace_id, job_id, run)
         REFERENCES agent_data_source_job (workspace_id, job_id, run) NOT VALID;
     END IF;
     ALTER TABLE agent_data_source_delivery VALIDATE CONSTRAINT fk_agent_data_source_delivery_job;
   END $$`,

  `ALTER TABLE agent_data_source_job
     DROP CONSTRAINT pk_agent_data_source_job,
     ADD CONSTRAINT pk_agent_data_source_job PRIMARY KEY USING INDEX pk_agent_data_source_job_ws`,
  `ALTER TABLE agent_data_source_payload
     DROP CONSTRAINT pk_agent_data_source_payload,
     ADD CONSTRAINT pk_agent_data_source_payload PRIMARY KEY USING INDEX pk_agent_data_source_payload_ws`,
  `DROP INDEX uq_agent_data_source_delivery_part`,
  `ALTER INDEX uq_agent_data_source_delivery_part_ws RENAME TO uq_agent_data_source_delivery_part`,
  `DROP INDEX ix_agent_data_source_delivery_body`,
  `ALTER INDEX ix_agent_data_source_delivery_body_ws RENAME TO ix_agent_data_source_delivery_body`,
];

/** The version that this goes back to knows one completion per job id and run: that of the workspace heard first. */
const IS_LATER = (row: string): string => `EXISTS (
  SELECT FROM agent_data_source_job first
   WHERE first.job_id = ${row}.job_id AND first.run = ${row}.run
     AND (first.created_at, first.workspace_id) <
         (SELECT j.created_at, j.workspace_id FROM agent_data_source_job j
           WHERE j.workspace_id = ${row}.workspace_id AND j.job_id = ${row}.job_id AND j.run = ${row}.run))`;

const DOWN = [
  // What those were sent stays on record as attempts and audit entries; chunks that belong to no body are swept.
  `DELETE FROM agent_data_source_payload p WHERE ${IS_LATER('p')}`,
  `DELETE FROM agent_data_source_delivery d WHERE ${IS_LATER('d')}`,
  `DELETE FROM agent_data_source_job k WHERE ${IS_LATER('k')}`,
  `ALTER TABLE agent_data_source_delivery DROP CONSTRAINT fk_agent_data_source_delivery_job`,
  `DROP INDEX ix_agent_data_source_delivery_body`,
  `CREATE INDEX ix_agent_data_source_delivery_body ON agent_data_source_delivery (job_id, recipe) WHERE part_count > 1`,
  `DROP INDEX uq_agent_data_source_delivery_part`,
  `CREATE UNIQUE INDEX uq_agent_data_source_delivery_part
     ON agent_data_source_delivery (job_id, data_source_id, run, part)`,
  `ALTER TABLE agent_data_source_payload
     DROP CONSTRAINT pk_agent_data_source_payload,
     ADD CONSTRAINT pk_agent_data_source_payload PRIMARY KEY (job_id, run, format)`,
  `ALTER TABLE agent_data_source_payload DROP COLUMN workspace_id`,
  `ALTER TABLE agent_data_source_job
     DROP CONSTRAINT pk_agent_data_source_job,
     ADD CONSTRAINT pk_agent_data_source_job PRIMARY KEY (job_id, run)`,
];
