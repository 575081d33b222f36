/** The module's tables that grow with deliveries. */
export const GROWING = ['agent_data_source_job', 'agent_data_source_delivery', 'agent_data_source_sync'];

const NAMED = `lpad(n::text, 22, '0')`;
const AT = `now() - interval '40 days' + n * interval '1 second'`;
const OLD = `(SELECT n, sinks[1 + n % array_length(sinks, 1)] AS sink_id FROM generate_series(1, $1::int) n,
  (SELECT array_agg(id ORDER BY id) AS sinks FROM agent_data_source) s) o JOIN agent_data_source s ON s.id = o.sink_id`;

/** Jobs whose deliveries, one each, were delivered by their first attempts weeks ago, spread over all sinks; `$1` of them. */
export const FILL = [
  `INSERT INTO agent_data_source_job
     (workspace_id, job_id, run, agent_id, completed_at, total, matched, unmatched, heard_at, created_at)
   SELECT s.workspace_id, 'job_80_' || ${NAMED}, 1, s.agent_id, ${AT}, 80, 80, 0, ${AT}, ${AT} FROM ${OLD}`,
  `INSERT INTO agent_data_source_delivery
     (id, data_source_id, job_id, run, workspace_id, agent_id, format, retries_allowed, trigger, status, attempt_count,
      last_attempt_status, payload_sha256, payload_bytes, payload_rows, payload_body_id, created_at, updated_at, settled_at)
   SELECT 'dlv_00' || ${NAMED}, s.id, 'job_80_' || ${NAMED}, 1, s.workspace_id, s.agent_id, 'JSON', 2, 'AUTO', 'DELIVERED', 1,
          'SUCCEEDED', sha256(o.n::text::bytea), 10240, 80, 'bdy_00' || ${NAMED}, ${AT}, ${AT}, ${AT} FROM ${OLD}`,
  `INSERT INTO agent_data_source_sync
     (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status, http_status,
      url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id, finished_at, total_ms)
   SELECT 'syn_00' || ${NAMED}, ${AT}, 'dlv_00' || ${NAMED}, s.id, s.workspace_id, s.agent_id, 'job_80_' || ${NAMED}, 1, 'AUTO',
          'SUCCEEDED', 200, s.config->>'url', 'HmacSha256', 1, sha256(o.n::text::bytea), 10240, 'bench:1', ${AT}, 3 FROM ${OLD}`,
];
