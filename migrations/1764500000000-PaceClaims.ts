import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the claim needs to pace sinks (a pause while a receiver is down, a rate), what the last Test of a sink said, and fewer and better placed index
 * entries for rows that are written several times within a second.
 */
export class PaceClaims1764500000000 implements MigrationInterface {
  name = 'PaceClaims1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

/** Room on its page for the second version of an attempt's row: without it each of its index entries is made twice. */
const setFillfactor = (action: string): string => `DO $$
  DECLARE
    partition regclass;
  BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'agent_data_source_sync'::regclass LOOP
      EXECUTE format('ALTER TABLE %s ${action}', partition);
    END LOOP;
  END $$`;

const UP = [
  `ALTER TABLE agent_data_source
     ADD COLUMN failures_in_row integer NOT NULL DEFAULT 0,
     ADD COLUMN paused_until timestamptz,
     ADD COLUMN paced_from timestamptz,
     ADD COLUMN tested_at timestamptz,
     ADD COLUMN tested_version integer,
     ADD COLUMN test_passed boolean`,
  // By workspace and sink: both have a cap.
  // IF NOT EXISTS: on a large table the operator makes it before, CONCURRENTLY (docs/operations.md).
  `CREATE INDEX IF NOT EXISTS ix_agent_data_source_delivery_sending
     ON agent_data_source_delivery (workspace_id, data_source_id) WHERE status = 'IN_FLIGHT'`,
  `DROP INDEX ix_agent_data_source_delivery_in_flight`,
  // A workspace's entries are read along their chain.
  `DROP INDEX ix_agent_data_source_audit_workspace`,
  setFillfactor('SET (fillfactor = 60)'),
];

const DOWN = [
  setFillfactor('RESET (fillfactor)'),
  `CREATE INDEX ix_agent_data_source_audit_workspace ON agent_data_source_audit (workspace_id, id)`,
  `CREATE INDEX ix_agent_data_source_delivery_in_flight
     ON agent_data_source_delivery (data_source_id) WHERE status = 'IN_FLIGHT'`,
  `DROP INDEX ix_agent_data_source_delivery_sending`,
  `ALTER TABLE agent_data_source
     DROP COLUMN test_passed, DROP COLUMN tested_version, DROP COLUMN tested_at,
     DROP COLUMN paced_from, DROP COLUMN paused_until, DROP COLUMN failures_in_row`,
];
