import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Bucket } from '../support/s3/store.js';
import { startServices, type Services } from '../support/services/services.js';
import { newJobId, Platform } from './harness/platform.js';
import { Process } from './harness/process.js';
import { until } from './harness/until.js';

const JOBS = 60;
/** Every body goes in parts, or none does. */
const KILLS = [
  ['s3-put-sent:5', 'the object was put and its answer was lost', ''],
  ['s3-upload-on-record:5', 'the id of an upload is on record and no part was sent', '0'],
  ['s3-part-sent:5', 'a part was sent', '0'],
  ['s3-all-sent:5', 'all parts were sent and the upload was not completed', '0'],
  ['s3-completed:5', 'the upload was completed and its answer was lost', '0'],
] as const;
const QUICK = { retryWaitsMs: [100, 200, 400], leaseMs: 1_500, pollMs: 250, sweepMs: 500, shutdownGraceMs: 5_000 };

let services: Services;
let client: pg.Client;
let platform: Platform;

const urlOf = (name: 'postgres' | 'redis' | 's3'): string => services.running[name]?.url ?? '';
const vaultKeys = `k1:${randomBytes(32).toString('base64')}`;

async function host(more: Readonly<Record<string, string>> = {}) {
  const { CHAOS_OPTIONS = '{}', ...others } = more;
  const process = Process.start('worker.mjs', 'host', {
    env: {
      ...{ PORT: '0', DATABASE_URL: urlOf('postgres'), REDIS_URL: urlOf('redis'), VAULT_KEYS: vaultKeys },
      ...{ ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8', ...others },
      CHAOS_OPTIONS: JSON.stringify({ ...QUICK, ...(JSON.parse(CHAOS_OPTIONS) as object) }),
    },
  });
  const { url, seeded } = await process.message('listening', (it) =>
    (it as Listening).url ? (it as Listening) : undefined,
  );
  return { process, url, seeded };
}

interface Listening {
  readonly url: string;
  readonly seeded: { workspaceId: string; agentId: string; token: string };
}

async function rows(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query(sql, [...values])).rows as Record<string, unknown>[];
}

beforeAll(async () => {
  services = await startServices({ names: ['postgres', 'redis', 's3'], durable: true }, {});
  expect(services.missing).toEqual({});
  const first = await host();
  platform = new Platform(first.seeded);
  await platform.furnish(first.url, { sinkUrls: [], secret: '', retries: 10 });
  first.process.signal('SIGTERM');
  await first.process.end();
  client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await services.stop();
});

describe('a worker of an S3 sink that is killed after', () => {
  it.each(KILLS)(
    '%s, when %s, leaves one object for each of 60 jobs and no upload',
    async (failpoint, _when, bytes) => {
      const bucket = await Bucket.make({ versioned: true, store: urlOf('s3') });
      const more: Record<string, string> = bytes === '' ? {} : { CHAOS_SINGLE_PUT_BYTES: bytes };
      const victim = await host({ ...more, DATA_SINKS_FAILPOINT: failpoint });
      const sink = { endpointUrl: bucket.endpointUrl, bucket: bucket.name, region: 'us-east-1', prefix: 'in/' };
      await platform.ask(victim.url, 'POST', '/data-sources', {
        ...{ role: 'RESULTS_SINK', type: 'S3', name: failpoint, format: 'JSONL', config: sink, secret: bucket.keys },
      });
      const jobs: string[] = Array.from({ length: JOBS }, () => newJobId());
      const finish = (url: string, jobId: string) => platform.finishJob(url, jobId, 3);
      const sent = await Promise.allSettled(jobs.map((jobId) => finish(victim.url, jobId)));
      expect(await victim.process.ended).toBe('SIGKILL');
      const other = await host(more);
      // As the mapping engine does for those that nobody has confirmed.
      for (const [i, { status }] of sent.entries()) if (status === 'rejected') await finish(other.url, jobs[i] ?? '');
      const open = `SELECT count(*)::int AS n FROM agent_data_source_delivery d JOIN agent_data_source s ON s.id = d.data_source_id
                   WHERE s.name = $1 AND d.status <> 'DELIVERED'`;
      const made = `SELECT count(*)::int AS n FROM agent_data_source_delivery d JOIN agent_data_source s ON s.id = d.data_source_id
                   WHERE s.name = $1`;
      await until('all jobs are recorded', async () => (await rows(made, [failpoint]))[0]?.['n'] === JOBS);
      await until('all are delivered', async () => (await rows(open, [failpoint]))[0]?.['n'] === 0);
      const keys = jobs.map((jobId) => `in/job-${jobId}.jsonl`).sort();
      expect(await bucket.versions()).toEqual(keys);
      const hashes = await rows(
        `SELECT 'in/job-' || d.job_id || '.jsonl' AS key, encode(d.payload_sha256, 'hex') AS sha256
         FROM agent_data_source_delivery d JOIN agent_data_source s ON s.id = d.data_source_id WHERE s.name = $1`,
        [failpoint],
      );
      for (const { key, sha256 } of hashes) {
        expect((await bucket.get(String(key))).headers.get('x-amz-meta-sha256')).toBe(sha256);
      }
      await until('no upload is left', async () => (await bucket.uploads()).length === 0);
      const left = `SELECT count(*)::int AS n FROM agent_data_source_sync WHERE leftover IS NOT NULL OR status = 'IN_FLIGHT'`;
      await until('nothing is on record that is left', async () => (await rows(left))[0]?.['n'] === 0);
      await platform.ask(other.url, 'POST', '/pause');
      await platform.ask(other.url, 'POST', '/activate');
      await rows(`UPDATE agent_data_source SET status = 'INACTIVE' WHERE name = $1`, [failpoint]);
      other.process.signal('SIGTERM');
      await other.process.end();
    },
  );
});
