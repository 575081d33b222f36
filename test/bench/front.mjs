import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * A bare HTTP front: a job that finished is posted, and recorded before the answer. Both designs stand behind it, so that
 * what is compared is what comes after.
 * @param record given `{ jobId, agentId, rows }`
 * @returns its port
 */
export async function serveJobs(record) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      record(JSON.parse(Buffer.concat(chunks).toString())).then(
        () => response.writeHead(202).end(),
        (error) => response.writeHead(500).end(String(error?.stack ?? error)),
      );
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** The host's own table of jobs, and what it writes there in the transaction that finishes one. */
export const HOST_TABLE = `CREATE TABLE IF NOT EXISTS host_job (
  id text PRIMARY KEY, agent_id text NOT NULL, row_count int NOT NULL, status text NOT NULL, finished_at timestamptz NOT NULL)`;
export const HOST_ROW = `INSERT INTO host_job VALUES ($1, $2, $3, 'DONE', now())`;
/** BEGIN, the row, COMMIT: of each design's statements, these are the host's own. */
export const HOST_STATEMENTS = 3;

/** Jobs that were done long ago. */
export const FILL_HOST = `
INSERT INTO host_job SELECT 'job_80_old' || lpad(n::text, 9, '0'), 'agt_old', 80, 'DONE', now() - interval '40 days'
  FROM generate_series(1, $1::int) n`;
