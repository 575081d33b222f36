// What one would pick instead, and write in an afternoon: plain BullMQ. One BullMQ job per delivery; the delivery, its
// body (made once) and the host's row in one transaction; prepared statements; undici with keep-alive; the attempt and the
// delivery's end in one statement. It has no attempt row before the request, no gate, fencing, fairness, circuit or audit.
import { createHmac } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import Redis from 'ioredis';
import pg from 'pg';
import { Agent } from 'undici';
import { FILL_HOST, HOST_ROW, HOST_TABLE, serveJobs } from './front.mjs';
import { answerAsks } from './child.mjs';
import { resultRow, workspaceOf } from './rows.mjs';

const { databaseUrl, redisUrl } = JSON.parse(process.env.BENCH_BULLMQ);
const CONCURRENCY = 64;

const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
let statements = 0;
const run = (client, name, text, values) => {
  statements++;
  return client.query({ name, text, values });
};

await pool.query(`${HOST_TABLE};
  CREATE TABLE sink (id text PRIMARY KEY, agent_id text NOT NULL, url text NOT NULL, secret text NOT NULL);
  CREATE INDEX ON sink (agent_id);
  CREATE TABLE payload (job_id text PRIMARY KEY, body bytea NOT NULL);
  CREATE TABLE delivery (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id text NOT NULL,
    sink_id text NOT NULL, status text NOT NULL DEFAULT 'PENDING', created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz, UNIQUE (job_id, sink_id)) WITH (fillfactor = 80);
  CREATE TABLE attempt (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, delivery_id bigint NOT NULL,
    number int NOT NULL, status text NOT NULL, http_status int, ms int, at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX ON attempt (delivery_id)`);

const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
const queue = new Queue('deliveries', { connection });
const OPTIONS = { removeOnComplete: true, attempts: 3, backoff: { type: 'fixed', delay: 5_000 } };

const RECORD = `
WITH body AS (INSERT INTO payload (job_id, body) VALUES ($1, $2))
INSERT INTO delivery (job_id, sink_id) SELECT $1, id FROM sink WHERE agent_id = $3 ORDER BY id RETURNING id`;

async function record(client, { jobId, agentId, rows }) {
  const body = bodyOf(jobId, agentId, rows);
  return (await run(client, 'record', RECORD, [jobId, body, agentId])).rows;
}

function enqueue(deliveries) {
  return queue.addBulk(deliveries.map(({ id }) => ({ name: 'push', data: { deliveryId: id }, opts: OPTIONS })));
}

/** Behind HTTP: with the host's row, and queued once that is committed. */
async function finish(job) {
  const client = await pool.connect();
  try {
    await run(client, 'begin', 'BEGIN');
    await run(client, 'host', HOST_ROW, [job.jobId, job.agentId, job.rows]);
    const deliveries = await record(client, job);
    await run(client, 'commit', 'COMMIT');
    client.release();
    await enqueue(deliveries);
  } catch (error) {
    client.release(error);
    throw error;
  }
}

function bodyOf(jobId, agentId, rows) {
  return Buffer.from(
    JSON.stringify({
      ...{ jobId, agentId, workspaceId: workspaceOf(agentId), completedAt: '2026-05-25T12:34:56Z' },
      stats: { total: rows, matched: rows, unmatched: 0 },
      results: Array.from({ length: rows }, (_, n) => resultRow(jobId, n)),
    }),
  );
}

const READ = `
SELECT d.id, s.url, s.secret, p.body FROM delivery d JOIN sink s ON s.id = d.sink_id JOIN payload p ON p.job_id = d.job_id
 WHERE d.id = $1`;
const END = `
WITH attempt AS (INSERT INTO attempt (delivery_id, number, status, http_status, ms) VALUES ($1, $2, $3, $4, $5))
UPDATE delivery SET status = $3, settled_at = now() WHERE id = $1`;

const agent = new Agent({ connections: CONCURRENCY, bodyTimeout: 30_000, headersTimeout: 30_000 });
const worker = new Worker(
  'deliveries',
  async ({ data, attemptsMade }) => {
    const { rows } = await run(pool, 'read', READ, [data.deliveryId]);
    const { id, url, secret, body } = rows[0];
    const startedAt = performance.now();
    const { origin, pathname: path } = new URL(url);
    const response = await agent.request({
      ...{ origin, path, method: 'POST', body },
      headers: {
        'content-type': 'application/json',
        'x-mt-delivery-id': String(id),
        'x-mt-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      },
    });
    await response.body.dump();
    const status = response.statusCode < 300 ? 'DELIVERED' : 'FAILED';
    const ms = Math.round(performance.now() - startedAt);
    await run(pool, 'end', END, [id, attemptsMade + 1, status, response.statusCode, ms]);
    if (status === 'FAILED') throw new Error(`answered ${response.statusCode}`);
  },
  { connection: connection.duplicate(), concurrency: CONCURRENCY },
);
worker.on('error', (error) => console.error(error));
await worker.waitUntilReady();

answerAsks({
  async addSinks({ agentId, urls, secret }) {
    for (const [i, url] of urls.entries()) {
      await pool.query('INSERT INTO sink VALUES ($1, $2, $3, $4)', [`${agentId}_${i}`, agentId, url, secret]);
    }
  },
  /** So many deliveries that ended long ago. */
  async settle({ count }) {
    await pool.query(FILL_HOST, [count]);
    await pool.query(
      `INSERT INTO delivery (job_id, sink_id, status, created_at, settled_at)
       SELECT 'job_80_old' || lpad(n::text, 9, '0'), sinks[1 + n % array_length(sinks, 1)], 'DELIVERED',
              now() - interval '40 days', now() - interval '40 days'
         FROM generate_series(1, $1::int) n, (SELECT array_agg(id ORDER BY id) AS sinks FROM sink) s`,
      [count],
    );
    await pool.query(
      `INSERT INTO attempt (delivery_id, number, status, http_status, ms, at)
       SELECT id, 1, 'DELIVERED', 200, 20, settled_at FROM delivery`,
    );
    for (const table of ['delivery', 'attempt', 'host_job']) await pool.query(`VACUUM (ANALYZE) ${table}`);
  },
  listen: () => serveJobs(finish),
  /** Without a transaction of the host's. */
  async complete({ agentIds, jobs, rows, atOnce, tag }) {
    let next = 0;
    const completeNext = async () => {
      while (next < jobs) {
        const n = next++;
        const agentId = agentIds[n % agentIds.length];
        const jobId = `job_${rows}_${tag}${String(n).padStart(8, '0')}`;
        await enqueue(await record(pool, { jobId, agentId, rows }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, completeNext));
  },
  statements: async () => statements,
});
