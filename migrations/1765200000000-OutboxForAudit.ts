import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The statement that ends a delivery writes its audit entry into an outbox too, so that no crash can come between the two.
 * From there entries go to the audit trail, at least once and under one id: the module's own trail takes an id once.
 */
export class OutboxForAudit1765200000000 implements MigrationInterface {
  name = 'OutboxForAudit1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

/** @param skipped what becomes of an entry whose id is in the trail already, once the head of its workspace is locked */
const append = (skipped: string): string => `
CREATE OR REPLACE FUNCTION agent_data_source_audit_append(entries jsonb) RETURNS void LANGUAGE plpgsql AS $$
   DECLARE
     entry agent_data_source_audit;
     head agent_data_source_audit_head;
     chained agent_data_source_audit[];
   BEGIN
     -- In the order of workspaces: each head is a lock, and two writers must not wait for each other.
     FOR entry IN
       SELECT * FROM jsonb_populate_recordset(NULL::agent_data_source_audit, entries) ORDER BY workspace_id, id
     LOOP
       IF head.workspace_id IS DISTINCT FROM entry.workspace_id THEN
         UPDATE agent_data_source_audit_head SET seq = head.seq, hash = head.hash
          WHERE workspace_id = head.workspace_id;
         SELECT * INTO head FROM agent_data_source_audit_head WHERE workspace_id = entry.workspace_id FOR UPDATE;
         IF NOT FOUND THEN
           INSERT INTO agent_data_source_audit_head
             VALUES (entry.workspace_id, 0, sha256(convert_to(entry.workspace_id, 'UTF8'))) ON CONFLICT DO NOTHING;
           SELECT * INTO head FROM agent_data_source_audit_head WHERE workspace_id = entry.workspace_id FOR UPDATE;
         END IF;
       END IF;
       ${skipped}entry.at := coalesce(entry.at, now());
       entry.seq := head.seq + 1;
       entry.hash := agent_data_source_audit_hash(entry, head.hash);
       head.seq := entry.seq;
       head.hash := entry.hash;
       chained := chained || entry;
     END LOOP;
     UPDATE agent_data_source_audit_head SET seq = head.seq, hash = head.hash WHERE workspace_id = head.workspace_id;
     INSERT INTO agent_data_source_audit SELECT * FROM unnest(chained);
   END $$`;

const UP = [
  // Rows come and go within seconds. Nothing but the key is indexed: taking an entry changes it within its page.
  `CREATE TABLE agent_data_source_audit_outbox (
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_agent_data_source_audit_outbox PRIMARY KEY,
    ended_at timestamptz NOT NULL DEFAULT now(),
    taken_until timestamptz,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    data_source_id text NOT NULL,
    delivery_id text NOT NULL,
    job_id text NOT NULL,
    run integer NOT NULL,
    recipe text NOT NULL,
    trigger text NOT NULL,
    attempt_count integer NOT NULL,
    status text NOT NULL,
    reason text,
    attempt_status text,
    error_code text,
    http_status smallint
  ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)`,
  append(`-- The head is locked: whoever appended it before has committed.
       CONTINUE WHEN EXISTS (SELECT FROM agent_data_source_audit a WHERE a.id = entry.id);
       `),
];

const DOWN = [
  // The version before would never write them down.
  `DO $$ BEGIN
     IF EXISTS (SELECT FROM agent_data_source_audit_outbox) THEN
       RAISE EXCEPTION 'audit entries wait in agent_data_source_audit_outbox: let a worker of this version write them first';
     END IF;
   END $$`,
  append(''),
  `DROP TABLE agent_data_source_audit_outbox`,
];
