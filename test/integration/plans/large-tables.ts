import type { DataSource } from 'typeorm';
import { firstIdAt } from '../../../src/data-sinks/core/ids.js';
import { createAttemptPartitions } from '../../../src/data-sinks/persistence/attempt-partitions.js';
import { CONFIG } from '../persistence/module-database.js';

export const SINKS = 200;

/** Ids begin with the time they were made. */
const DELIVERY_PREFIX = firstIdAt('delivery', Date.now()).slice(0, 12);

export const deliveryId = (n: number): string => `${DELIVERY_PREFIX}${String(n).padStart(18, '0')}`;

export const sinkId = (n: number): string => `ads_${String(n).padStart(26, '0')}`;

/**
 * Fills the tables as an installation has them after a while: two attempts for each delivery, and a backlog on one sink.
 * @param attempts so many; the others are in proportion
 */
export async function fillTables(dataSource: DataSource, attempts: number): Promise<void> {
  const deliveries = attempts / 2;
  await createAttemptPartitions(dataSource.manager);
  const fill = (sql: string, parameters: unknown[] = []) => dataSource.query(sql, parameters);
  await fill(
    `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id, secret_created_at)
     SELECT 'ads_' || lpad(s::text, 26, '0'), 'ws_' || s % 20, 'agt_' || s % 50, 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'plans', $1, 'JSON',
            'ACTIVE', 'sec_' || s, now() FROM generate_series(0, $2::int - 1) s`,
    [CONFIG, SINKS],
  );
  await fill(
    `INSERT INTO agent_data_source_job (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched, heard_at)
     SELECT 'job_' || j, 1, 'ws_' || j % 20, 'agt_' || j % 50, now(), 1, 1, 0, now() FROM generate_series(0, $1::int) j`,
    [deliveries / 5],
  );
  // Every tenth delivery waits, half of those on one sink.
  await fill(
    `INSERT INTO agent_data_source_delivery
       (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, reason, attempt_count,
        retries_allowed, next_attempt_at, settled_at, last_attempt_status, lease_token, lease_expires_at)
     SELECT $2 || lpad(d::text, 18, '0'), 'ws_' || s % 20, 'agt_' || s % 50, 'ads_' || lpad(s::text, 26, '0'),
            'job_' || d / 5, 1, 'JSON', 'AUTO', status, CASE status WHEN 'FAILED' THEN 'not_retryable' END, 2, 2,
            CASE WHEN status IN ('PENDING', 'RETRYING') THEN now() - d * interval '1 ms' END,
            CASE WHEN status IN ('DELIVERED', 'FAILED') THEN now() - d * interval '1 s' END, 'HTTP_5XX',
            CASE status WHEN 'IN_FLIGHT' THEN gen_random_uuid() END, CASE status WHEN 'IN_FLIGHT' THEN now() + interval '1 day' END
       FROM generate_series(0, $3::int - 1) d,
            LATERAL (SELECT CASE WHEN d % 20 = 0 THEN 7 ELSE (d * 13 + d / 5) % $1::int END AS s) sink,
            LATERAL (SELECT CASE WHEN d % 20 = 0 THEN 'PENDING' WHEN d % 20 = 1 THEN 'RETRYING' WHEN d % 500 = 2 THEN 'IN_FLIGHT'
                                 WHEN d % 50 = 3 THEN 'FAILED' ELSE 'DELIVERED' END AS status) state
     ON CONFLICT DO NOTHING`,
    [SINKS, DELIVERY_PREFIX, deliveries],
  );
  await fill(
    `INSERT INTO agent_data_source_sync
       (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status, url,
        auth_scheme, config_version, payload_sha256, payload_bytes, worker_id, total_ms)
     SELECT 'syn_' || left(substr(d.id, 5), 25) || right(d.id, 1) || n, now() - n * interval '1 second', d.id, d.data_source_id, d.workspace_id,
            d.agent_id, d.job_id, n, 'AUTO', CASE WHEN n = 2 AND d.status = 'DELIVERED' THEN 'SUCCEEDED' ELSE 'HTTP_5XX' END,
            'https://example.com', 'HmacSha256', 1, sha256(''), 10, 'w', 12
       FROM agent_data_source_delivery d, generate_series(1, 2) n`,
  );
  await fill(
    `INSERT INTO agent_data_source_payload (job_id, run, format, body_id, ready, sha256, byte_count, row_count)
     SELECT job_id, run, 'JSON', 'pld_' || job_id, true, sha256(''), 10, 1 FROM agent_data_source_job`,
  );
  await fill(
    `INSERT INTO agent_data_source_payload_chunk (body_id, seq, bytes)
     SELECT body_id, 0, 'x'::bytea FROM agent_data_source_payload`,
  );
  // As autovacuum does it: partitions of months to come have never been written to, and it leaves them alone.
  const filled = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class
      WHERE relname LIKE 'agent_data_source%' AND relkind = 'r' AND pg_relation_size(oid) > 0`,
  );
  await fill(`VACUUM (ANALYZE) ${filled.map(({ name }) => name).join(', ')}`);
}
