import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The least platform: who may call, whose agents, under which rules, and the rows of finished jobs. */
export class CreateHostTables1764000000001 implements MigrationInterface {
  name = 'CreateHostTables1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'host_mapping_result',
  'host_mapping_job',
  'host_rule_set',
  'host_agent',
  'host_api_token',
  'host_workspace',
];

const UP = [
  `CREATE TABLE host_workspace (
    id text NOT NULL CONSTRAINT pk_host_workspace PRIMARY KEY,
    name text NOT NULL,
    plan text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,

  // The token itself is nowhere: a stolen table opens no door.
  `CREATE TABLE host_api_token (
    id text NOT NULL CONSTRAINT pk_host_api_token PRIMARY KEY,
    workspace_id text NOT NULL CONSTRAINT fk_host_api_token_workspace REFERENCES host_workspace (id) ON DELETE CASCADE,
    token_sha256 bytea NOT NULL CONSTRAINT uq_host_api_token_sha256 UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
  )`,

  `CREATE TABLE host_agent (
    id text NOT NULL CONSTRAINT pk_host_agent PRIMARY KEY,
    workspace_id text NOT NULL CONSTRAINT fk_host_agent_workspace REFERENCES host_workspace (id) ON DELETE CASCADE,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'DRAFT'
      CONSTRAINT ck_host_agent_status CHECK (status IN ('DRAFT', 'ACTIVE', 'PAUSED')),
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX ix_host_agent_workspace ON host_agent (workspace_id, id)`,

  // json, not jsonb: what was written is what is shown, in its order.
  `CREATE TABLE host_rule_set (
    agent_id text NOT NULL CONSTRAINT fk_host_rule_set_agent REFERENCES host_agent (id) ON DELETE CASCADE,
    version integer NOT NULL,
    rules json NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_host_rule_set PRIMARY KEY (agent_id, version)
  )`,

  // Rows arrive under a number while the job is RECEIVING; its id counts from the moment it is COMPLETED, so that an
  // upload that died is never in the way of the next.
  `CREATE TABLE host_mapping_job (
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_host_mapping_job PRIMARY KEY,
    id text NOT NULL,
    workspace_id text NOT NULL,
    agent_id text NOT NULL CONSTRAINT fk_host_mapping_job_agent REFERENCES host_agent (id) ON DELETE CASCADE,
    state text NOT NULL CONSTRAINT ck_host_mapping_job_state CHECK (state IN ('RECEIVING', 'COMPLETED')),
    received_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    total integer,
    matched integer,
    rows_sha256 bytea
  )`,
  `CREATE UNIQUE INDEX uq_host_mapping_job_id ON host_mapping_job (id) WHERE state = 'COMPLETED'`,
  `CREATE INDEX ix_host_mapping_job_completed ON host_mapping_job (completed_at, id) WHERE state = 'COMPLETED'`,
  `CREATE INDEX ix_host_mapping_job_receiving ON host_mapping_job (received_at) WHERE state = 'RECEIVING'`,
  `CREATE INDEX ix_host_mapping_job_agent ON host_mapping_job (agent_id)`,

  // No foreign key: it would cost a look-up for each of a million rows. A job's number instead of its id saves 22 bytes.
  `CREATE TABLE host_mapping_result (
    job_number bigint NOT NULL,
    ordinal integer NOT NULL,
    partner_row_id text NOT NULL,
    reference_hotel_id text,
    match_method text,
    match_confidence double precision,
    CONSTRAINT pk_host_mapping_result PRIMARY KEY (job_number, ordinal)
  )`,
];
