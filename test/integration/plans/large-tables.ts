import type { DataSource } from 'typeorm';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { firstIdAt } from '../../../src/data-sinks/domain/ids.js';
import { createAttemptPartitions } from '../../../src/data-sinks/upkeep/attempt-partitions.sql.js';
import { CONFIG } from '../persistence/module-database.js';

export const SINKS = 2_000;

/** The lease token of every delivery that is in flight. */
export const LEASE = '00000000-0000-4000-8000-000000000000';

/** Of the backlog, each so manieth is in flight. */
export const IN_FLIGHT_EVERY = 5;

/** What a recovery of one sink has made due. */
export const RECOVERY = 'rcv_1';

/** Ids begin with the time they were made. */
const DELIVERY_PREFIX = firstIdAt('delivery', Date.now()).slice(0, 12);

export const deliveryId = (n: number): string => `${DELIVERY_PREFIX}${String(n).padStart(18, '0')}`;

export const sinkId = (n: number): string => `ads_${String(n).padStart(26, '0')}`;

/** How many deliveries are in which state; their numbers are in this order, as are their rows on disk. */
export interface Sizes {
  readonly settled: number;
  /** Of these every fifth is in flight, the others wait. */
  readonly backlog: number;
}

/** Delivery `d`'s sink, as a number `s`, and job. Two in a row are of one job id, mostly in two workspaces. */
const sinkAndJob = (settled: number): string => `
  LATERAL (SELECT CASE WHEN d >= ${settled} AND d % 2 = 0 THEN 7
                       ELSE (d * 13 + d / 5) % ${SINKS} - (d >= ${settled} AND ((d * 13 + d / 5) % ${SINKS}) % 10 = 5)::int END AS s,
                  'job_' || CASE WHEN d < ${settled} THEN d / 2 ELSE d - ${settled} + ${settled / 2} END AS job) sink`;

/**
 * Fills the tables as an installation has them after a while: two attempts for each delivery. The rows of the backlog come
 * after the settled ones, as they do in life, so that reading the table from its start meets all settled rows first. Half
 * of the backlog is one sink's; every tenth sink has nothing waiting.
 */
export async function fillTables(dataSource: DataSource, { settled, backlog }: Sizes): Promise<void> {
  const deliveries = settled + backlog;
  await createAttemptPartitions(databaseOf(dataSource.manager));
  const fill = (sql: string, parameters: unknown[] = []) => dataSource.query(sql, parameters);
  // Room for every update in its page. Whether a full one has been pruned is chance, and twice the pages of indexes.
  await fill('ALTER TABLE agent_data_source_delivery SET (fillfactor = 50)');
  await fill(
    `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id, secret_created_at)
     SELECT 'ads_' || lpad(s::text, 26, '0'), 'ws_' || s % 20, 'agt_' || s % 50, 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'plans', $1, 'JSON',
            'ACTIVE', 'sec_' || s, now() FROM generate_series(0, $2::int - 1) s`,
    [CONFIG, SINKS],
  );
  await fill(
    `INSERT INTO agent_data_source_job (workspace_id, job_id, run, agent_id, completed_at, total, matched, unmatched, heard_at)
     SELECT DISTINCT 'ws_' || s % 20, job, 1, 'agt_1', now(), 1, 1, 0, now()
       FROM generate_series(0, $1::int - 1) d, ${sinkAndJob(settled)}
      UNION ALL SELECT 'ws_8', 'job_17', 2, 'agt_8', now(), 1, 1, 0, now()`,
    [deliveries],
  );
  await fill(
    `INSERT INTO agent_data_source_delivery
       (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, reason, attempt_count,
        retries_allowed, next_attempt_at, settled_at, last_attempt_status, lease_token, lease_expires_at, part, part_count,
        recipe, recovery_id, created_at)
     SELECT $2 || lpad(d::text, 18, '0'), 'ws_' || s % 20, 'agt_' || s % 50, 'ads_' || lpad(s::text, 26, '0'),
            job, 1, 'JSON', 'AUTO', status, CASE status WHEN 'FAILED' THEN 'not_retryable' END, 2, 2,
            CASE WHEN status IN ('PENDING', 'RETRYING') THEN now() - d * interval '1 ms' END,
            CASE WHEN status IN ('DELIVERED', 'FAILED') THEN now() - ($3::int - d) * interval '1 s' END, 'HTTP_5XX',
            CASE status WHEN 'IN_FLIGHT' THEN $5::uuid END,
            CASE status WHEN 'IN_FLIGHT' THEN now() + CASE d % 50 WHEN 0 THEN - interval '1 s' ELSE interval '1 day' END END,
            1, CASE d % 50 WHEN 4 THEN 3 ELSE 1 END, 'JSON', CASE WHEN s = 8 AND d % 3 = 0 THEN $6 END, now() - ($3::int - d) * interval '1 s'
       FROM generate_series(0, $3::int - 1) d,
            ${sinkAndJob(settled)},
            LATERAL (SELECT CASE WHEN d < $4::int THEN CASE WHEN d % 50 = 3 THEN 'FAILED' ELSE 'DELIVERED' END
                                 WHEN (d - $4::int) % $1::int = 0 THEN 'IN_FLIGHT'
                                 WHEN d % 4 = 1 THEN 'RETRYING' ELSE 'PENDING' END AS status) state
     ON CONFLICT DO NOTHING`,
    [IN_FLIGHT_EVERY, DELIVERY_PREFIX, deliveries, settled, LEASE, RECOVERY],
  );
  await fill(
    `INSERT INTO agent_data_source_delivery
       (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, retries_allowed, settled_at, part, part_count)
     SELECT $1 || 'part' || lpad(part::text, 14, '0'), 'ws_8', 'agt_8', $2, 'job_17', 2, 'JSON', 'AUTO',
            CASE WHEN part < 3 THEN 'DELIVERED' ELSE 'PENDING' END, 2, CASE WHEN part < 3 THEN now() END, part, 3
       FROM generate_series(1, 3) part`,
    [DELIVERY_PREFIX, sinkId(8)],
  );
  await fill(
    `INSERT INTO agent_data_source_sync
       (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status, url,
        auth_scheme, config_version, payload_sha256, payload_bytes, worker_id, total_ms)
     SELECT 'syn_' || left(substr(d.id, 5), 25) || right(d.id, 1) || n, date_trunc('milliseconds', now()) - (3 - n) * interval '1 second',
            d.id, d.data_source_id, d.workspace_id, d.agent_id, d.job_id, n, 'AUTO',
            CASE WHEN n = 2 AND d.status = 'DELIVERED' THEN 'SUCCEEDED' WHEN n = 2 AND d.status = 'IN_FLIGHT' THEN 'IN_FLIGHT' ELSE 'HTTP_5XX' END,
            'https://example.com', 'HmacSha256', 1, sha256(''), 10, 'w', 12
       FROM agent_data_source_delivery d, generate_series(1, 2) n ORDER BY d.id, n`,
  );
  await fill(
    `INSERT INTO agent_data_source_payload
       (workspace_id, job_id, run, format, body_id, ready, sha256, byte_count, row_count)
     SELECT workspace_id, job_id, run, 'JSON', 'pld_' || workspace_id || job_id || '_' || run, true, sha256(''), 10, 1 FROM agent_data_source_job`,
  );
  await fill(
    `INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
     SELECT body_id, 0, 'x'::bytea FROM agent_data_source_payload`,
  );
  await fill(
    `INSERT INTO agent_data_source_recovery (id, workspace_id, agent_id, data_source_id, status, since, until, total, requested_by_type, requested_by_id)
     VALUES ($1, 'ws_8', 'agt_8', $2, 'RUNNING', now() - interval '10 years', now(), 1000000, 'user', 'u')`,
    [RECOVERY, sinkId(8)],
  );
  await fill(
    `INSERT INTO agent_data_source_recovery
       (id, workspace_id, agent_id, data_source_id, status, since, until, total, requested_by_type, requested_by_id, finished_at)
     SELECT 'rcv_0' || n, 'ws_' || n % 20, 'agt_8', 'ads_' || lpad((n % $1::int)::text, 26, '0'), 'DONE', now(), now(), 1, 'user', 'u', now()
       FROM generate_series(1, 5000) n`,
    [SINKS],
  );
  await vacuum(dataSource, 'ANALYZE');
}

/**
 * As autovacuum does it: partitions of months to come have never been written to, and it leaves them alone.
 * @param options `ANALYZE` for new statistics
 */
export async function vacuum(
  database: Pick<DataSource, 'query'>,
  options: 'ANALYZE' | 'INDEX_CLEANUP ON',
): Promise<void> {
  const filled = await database.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class
      WHERE relname LIKE 'agent_data_source%' AND relkind = 'r' AND pg_relation_size(oid) > 0`,
  );
  await database.query(`VACUUM (${options}) ${filled.map(({ name }) => name).join(', ')}`);
}
