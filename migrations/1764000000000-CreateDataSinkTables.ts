import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The module's tables, by lifetime: configuration, completions and deliveries, attempts, payload bytes, secrets, audit.
 * No foreign key leads from history to a sink: history outlives what it speaks of.
 */
export class CreateDataSinkTables1764000000000 implements MigrationInterface {
  name = 'CreateDataSinkTables1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'agent_data_source_audit',
  'agent_data_source_secret',
  'agent_data_source_payload_chunk',
  'agent_data_source_payload',
  'agent_data_source_sync',
  'agent_data_source_delivery',
  'agent_data_source_job',
  'agent_data_source',
];

const UP = [
  `CREATE TABLE agent_data_source (
    id text NOT NULL CONSTRAINT pk_agent_data_source PRIMARY KEY,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    role text NOT NULL,
    type text NOT NULL,
    name text NOT NULL,
    config jsonb NOT NULL,
    format text NOT NULL,
    status text NOT NULL,
    config_version integer NOT NULL DEFAULT 1,
    secret_id text NOT NULL,
    secret_hint text,
    secret_created_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
  )`,
  `CREATE INDEX ix_agent_data_source_agent ON agent_data_source (agent_id, id) WHERE deleted_at IS NULL`,
  `CREATE INDEX ix_agent_data_source_workspace ON agent_data_source (workspace_id) WHERE deleted_at IS NULL`,

  // One row per completion. heard_at is set when its automatic deliveries were made, also when no sink wanted any:
  // hearing it again makes nothing. A push by hand leaves it null, so that it does not stand in for the event.
  `CREATE TABLE agent_data_source_job (
    job_id text NOT NULL,
    run integer NOT NULL,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    completed_at timestamptz NOT NULL,
    total bigint NOT NULL,
    matched bigint NOT NULL,
    unmatched bigint NOT NULL,
    heard_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_agent_data_source_job PRIMARY KEY (job_id, run)
  )`,

  // Each row is updated three times or more within seconds: room for that on its page, and vacuum soon after.
  `CREATE TABLE agent_data_source_delivery (
    id text NOT NULL CONSTRAINT pk_agent_data_source_delivery PRIMARY KEY,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    data_source_id text NOT NULL,
    job_id text NOT NULL,
    run integer NOT NULL,
    format text NOT NULL,
    trigger text NOT NULL,
    status text NOT NULL,
    reason text,
    attempt_count integer NOT NULL DEFAULT 0,
    retries_allowed smallint NOT NULL,
    retries_spent smallint NOT NULL DEFAULT 0,
    own_failures smallint NOT NULL DEFAULT 0,
    abandoned smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    lease_token uuid,
    lease_expires_at timestamptz,
    last_attempt_status text,
    last_error_code text,
    payload_sha256 bytea,
    payload_bytes bigint,
    payload_rows bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    CONSTRAINT uq_agent_data_source_delivery_completion UNIQUE (data_source_id, job_id, run)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`,
  // Both serve the claim: by sink (fair shares, fresh before retried), and by time (when is the next one due).
  `CREATE INDEX ix_agent_data_source_delivery_waiting
    ON agent_data_source_delivery (data_source_id, status, next_attempt_at) WHERE status IN ('PENDING', 'RETRYING')`,
  `CREATE INDEX ix_agent_data_source_delivery_due
    ON agent_data_source_delivery (next_attempt_at) WHERE status IN ('PENDING', 'RETRYING')`,
  `CREATE INDEX ix_agent_data_source_delivery_in_flight
    ON agent_data_source_delivery (data_source_id) WHERE status = 'IN_FLIGHT'`,
  `CREATE INDEX ix_agent_data_source_delivery_list ON agent_data_source_delivery (data_source_id, id)`,
  `CREATE INDEX ix_agent_data_source_delivery_job ON agent_data_source_delivery (job_id)`,

  // Monthly partitions are made ahead by the sweeper; the default one is the safety net.
  `CREATE TABLE agent_data_source_sync (
    id text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    delivery_id text NOT NULL,
    data_source_id text NOT NULL,
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    job_id text NOT NULL,
    attempt_number integer NOT NULL,
    trigger text NOT NULL,
    status text NOT NULL,
    error_code text,
    http_status smallint,
    url text NOT NULL,
    auth_scheme text NOT NULL,
    config_version integer NOT NULL,
    payload_sha256 bytea NOT NULL,
    payload_bytes bigint NOT NULL,
    worker_id text NOT NULL,
    finished_at timestamptz,
    dns_ms integer,
    connect_ms integer,
    tls_ms integer,
    upload_ms integer,
    wait_ms integer,
    total_ms integer,
    answer_excerpt text,
    answer_ending text,
    CONSTRAINT pk_agent_data_source_sync PRIMARY KEY (id, started_at)
  ) PARTITION BY RANGE (started_at)`,
  `CREATE TABLE agent_data_source_sync_default PARTITION OF agent_data_source_sync DEFAULT`,
  `CREATE INDEX ix_agent_data_source_sync_delivery ON agent_data_source_sync (delivery_id, attempt_number)`,
  `CREATE INDEX ix_agent_data_source_sync_list ON agent_data_source_sync (data_source_id, id)`,

  `CREATE TABLE agent_data_source_payload (
    job_id text NOT NULL,
    run integer NOT NULL,
    format text NOT NULL,
    body_id text NOT NULL,
    ready boolean NOT NULL,
    building_until timestamptz,
    sha256 bytea,
    byte_count bigint,
    row_count bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_agent_data_source_payload PRIMARY KEY (job_id, run, format)
  )`,
  `CREATE UNIQUE INDEX uq_agent_data_source_payload_body ON agent_data_source_payload (body_id)`,
  `CREATE TABLE agent_data_source_payload_chunk (
    body_id text NOT NULL,
    seq integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT pk_agent_data_source_payload_chunk PRIMARY KEY (body_id, seq)
  )`,
  // The bytes come compressed: Postgres would spend CPU on compressing them again, for nothing.
  `ALTER TABLE agent_data_source_payload_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL`,

  `CREATE TABLE agent_data_source_secret (
    id text NOT NULL CONSTRAINT pk_agent_data_source_secret PRIMARY KEY,
    workspace_id text NOT NULL,
    key_id text NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,

  `CREATE TABLE agent_data_source_audit (
    id text NOT NULL CONSTRAINT pk_agent_data_source_audit PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    workspace_id text NOT NULL,
    agent_id text NOT NULL,
    data_source_id text NOT NULL,
    delivery_id text,
    action text NOT NULL,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    ip text,
    details jsonb NOT NULL
  )`,
  `CREATE INDEX ix_agent_data_source_audit_workspace ON agent_data_source_audit (workspace_id, id)`,
];
