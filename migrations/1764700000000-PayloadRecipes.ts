import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How each delivery's body is made, and which part of its job it carries. The payload's column `format` holds the name
 * of that recipe from here on; for a body of the version before that is `JSON`, as it was, so bodies need no change and
 * that version runs on.
 */
export class PayloadRecipes1764700000000 implements MigrationInterface {
  name = 'PayloadRecipes1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // IF NOT EXISTS: on large tables the operator makes these before, the indexes CONCURRENTLY (docs/operations.md).
  `ALTER TABLE agent_data_source_delivery
     ADD COLUMN IF NOT EXISTS recipe text NOT NULL DEFAULT 'JSON',
     ADD COLUMN IF NOT EXISTS part integer NOT NULL DEFAULT 1,
     ADD COLUMN IF NOT EXISTS part_count integer NOT NULL DEFAULT 1`,
  // The job first: it serves look-ups by job too.
  `CREATE UNIQUE INDEX IF NOT EXISTS uq_agent_data_source_delivery_part
    ON agent_data_source_delivery (job_id, data_source_id, run, part)`,
  `ALTER TABLE agent_data_source_delivery DROP CONSTRAINT uq_agent_data_source_delivery_completion`,
  // Finds the deliveries of one part's body, where a job has thousands of parts.
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_body
    ON agent_data_source_delivery (job_id, recipe) WHERE part_count > 1`,
  `DROP INDEX ix_agent_data_source_delivery_job`,
];

const DOWN = [
  `CREATE INDEX ix_agent_data_source_delivery_job ON agent_data_source_delivery (job_id)`,
  `DROP INDEX ix_agent_data_source_delivery_body`,
  // A version that makes one body in one way would send another one than was asked for: the sink's owner decides.
  `UPDATE agent_data_source
      SET status = 'INACTIVE', format = 'JSON', config_version = config_version + 1, updated_at = now()
    WHERE format <> 'JSON' OR config ->> 'compression' <> 'none'
       OR config ->> 'includeFields' IS NOT NULL OR config ->> 'maxRowsPerPush' IS NOT NULL`,
  `UPDATE agent_data_source SET config = config - 'compression' - 'includeFields' - 'maxRowsPerPush'`,
  `UPDATE agent_data_source_delivery
      SET status = 'CANCELLED', reason = 'sink_inactive', settled_at = now(), next_attempt_at = NULL,
          lease_token = NULL, lease_expires_at = NULL
    WHERE recipe <> 'JSON' AND settled_at IS NULL`,
  `UPDATE agent_data_source_delivery SET reason = 'not_retryable'
    WHERE reason IN ('parts_incomplete', 'too_many_parts')`,
  // One delivery per job is all that it knows. The attempts of the others stay on record.
  `DELETE FROM agent_data_source_delivery WHERE part > 1`,
  `UPDATE agent_data_source_delivery SET format = 'JSON' WHERE format <> 'JSON'`,
  // Their chunks belong to no body then, and are swept.
  `DELETE FROM agent_data_source_payload WHERE format <> 'JSON'`,
  `ALTER TABLE agent_data_source_delivery
     ADD CONSTRAINT uq_agent_data_source_delivery_completion UNIQUE (data_source_id, job_id, run)`,
  `DROP INDEX uq_agent_data_source_delivery_part`,
  `ALTER TABLE agent_data_source_delivery DROP COLUMN part_count, DROP COLUMN part, DROP COLUMN recipe`,
];
