import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the audit trail tamper-evident: its rows cannot be changed or deleted, and each carries a hash over itself and
 * the one before it in its workspace. The database does it, so that no code of ours or of the host's can forget to.
 */
export class ChainAuditEntries1764100000000 implements MigrationInterface {
  name = 'ChainAuditEntries1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  // The end of each workspace's chain; its row is also the lock that keeps two writers in line.
  `CREATE TABLE agent_data_source_audit_head (
    workspace_id text NOT NULL CONSTRAINT pk_agent_data_source_audit_head PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
  )`,
  `ALTER TABLE agent_data_source_audit ADD COLUMN seq bigint, ADD COLUMN hash bytea`,
  // As a JSON array, in which no two different rows read alike.
  `CREATE FUNCTION agent_data_source_audit_hash(entry agent_data_source_audit, before bytea) RETURNS bytea
   LANGUAGE sql IMMUTABLE AS $$
     SELECT sha256(before || convert_to(jsonb_build_array(
       entry.seq, entry.id, extract(epoch FROM entry.at)::text, entry.workspace_id, entry.agent_id,
       entry.data_source_id, entry.delivery_id, entry.action, entry.actor_type, entry.actor_id, entry.ip,
       entry.details)::text, 'UTF8'))
   $$`,
  `CREATE FUNCTION agent_data_source_audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     head agent_data_source_audit_head;
   BEGIN
     INSERT INTO agent_data_source_audit_head VALUES (NEW.workspace_id, 0, sha256(convert_to(NEW.workspace_id, 'UTF8')))
       ON CONFLICT DO NOTHING;
     SELECT * INTO head FROM agent_data_source_audit_head WHERE workspace_id = NEW.workspace_id FOR UPDATE;
     NEW.seq := head.seq + 1;
     NEW.hash := agent_data_source_audit_hash(NEW, head.hash);
     UPDATE agent_data_source_audit_head SET seq = NEW.seq, hash = NEW.hash WHERE workspace_id = NEW.workspace_id;
     RETURN NEW;
   END $$`,
  `CREATE FUNCTION agent_data_source_audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'audit entries are kept as they are' USING ERRCODE = 'restrict_violation';
   END $$`,
  // The fast way in: one look at the head and one change of it per workspace, however many entries come at once.
  `CREATE FUNCTION agent_data_source_audit_append(entries jsonb) RETURNS void LANGUAGE plpgsql AS $$
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
       entry.at := coalesce(entry.at, now());
       entry.seq := head.seq + 1;
       entry.hash := agent_data_source_audit_hash(entry, head.hash);
       head.seq := entry.seq;
       head.hash := entry.hash;
       chained := chained || entry;
     END LOOP;
     UPDATE agent_data_source_audit_head SET seq = head.seq, hash = head.hash WHERE workspace_id = head.workspace_id;
     INSERT INTO agent_data_source_audit SELECT * FROM unnest(chained);
   END $$`,
  // Entries of before this migration join the chain in the order they were made.
  `DO $$
   DECLARE
     entry agent_data_source_audit;
     head agent_data_source_audit_head;
   BEGIN
     FOR entry IN SELECT * FROM agent_data_source_audit ORDER BY workspace_id, id LOOP
       INSERT INTO agent_data_source_audit_head
         VALUES (entry.workspace_id, 0, sha256(convert_to(entry.workspace_id, 'UTF8'))) ON CONFLICT DO NOTHING;
       SELECT * INTO head FROM agent_data_source_audit_head WHERE workspace_id = entry.workspace_id;
       entry.seq := head.seq + 1;
       entry.hash := agent_data_source_audit_hash(entry, head.hash);
       UPDATE agent_data_source_audit SET seq = entry.seq, hash = entry.hash WHERE id = entry.id;
       UPDATE agent_data_source_audit_head SET seq = entry.seq, hash = entry.hash
         WHERE workspace_id = entry.workspace_id;
     END LOOP;
   END $$`,
  `ALTER TABLE agent_data_source_audit ALTER COLUMN seq SET NOT NULL, ALTER COLUMN hash SET NOT NULL`,
  `CREATE UNIQUE INDEX uq_agent_data_source_audit_chain ON agent_data_source_audit (workspace_id, seq)`,
  `CREATE TRIGGER agent_data_source_audit_chain BEFORE INSERT ON agent_data_source_audit
     FOR EACH ROW WHEN (NEW.hash IS NULL) EXECUTE FUNCTION agent_data_source_audit_chain()`,
  `CREATE TRIGGER agent_data_source_audit_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_data_source_audit
     FOR EACH STATEMENT EXECUTE FUNCTION agent_data_source_audit_keep()`,
];

const DOWN = [
  `DROP TRIGGER agent_data_source_audit_keep ON agent_data_source_audit`,
  `DROP TRIGGER agent_data_source_audit_chain ON agent_data_source_audit`,
  `DROP INDEX uq_agent_data_source_audit_chain`,
  `DROP FUNCTION agent_data_source_audit_keep()`,
  `DROP FUNCTION agent_data_source_audit_chain()`,
  `DROP FUNCTION agent_data_source_audit_append(jsonb)`,
  `DROP FUNCTION agent_data_source_audit_hash(agent_data_source_audit, bytea)`,
  `ALTER TABLE agent_data_source_audit DROP COLUMN seq, DROP COLUMN hash`,
  `DROP TABLE agent_data_source_audit_head`,
];
