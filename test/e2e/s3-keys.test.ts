import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { FakeStore } from '../support/s3/fake-store-process.js';
import { FINE_PREFIXES, HOSTILE_JOB_IDS } from '../support/s3/places.js';
import { s3Sink } from '../support/s3/s3-sink.js';
import { Bucket } from '../support/s3/store.js';

/** What is written where, of every prefix that is taken and of every id that a host's job may have. */
const platform = suitePlatform({ options: { sinksPerAgent: 1_000, testsPerMinute: 1_000 } });

/** The store keeps objects as files, whose names are no longer; others take keys of 1,024 bytes. */
const LONGEST_FILE_NAME = 255;
const LONGEST_KEY = 1_024;

let fake: FakeStore;
beforeAll(async () => {
  fake = await FakeStore.start();
});
afterAll(() => fake.stop());

const activeAgent = async (): Promise<Agent> => (await platform().customer()).agent({ retry_failed_push: 0 });

async function delivered(sink: Sink, jobId: string): Promise<string> {
  const { status, attempts } = await sink.agent.customer.settled((await sink.deliveryOf(jobId)).id as string);
  expect([jobId, status, attempts[0].errorCode]).toEqual([jobId, 'DELIVERED', null]);
  return attempts[0].manifestJson[0].key as string;
}

/** How an id is written in a key, by a rule of its own: letters, digits, `_` and `-` stay. */
function written(jobId: string): string {
  const bytes = [...Buffer.from(jobId)].map((byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `job-${bytes.join('')}.jsonl`;
}

const fits = (jobId: string): boolean => written(jobId).length <= LONGEST_FILE_NAME;

describe('an object', () => {
  it('is written below each prefix that is accepted, as it was typed, and the Test passes there', async () => {
    const bucket = await Bucket.make();
    const agent = await activeAgent();
    // The same place as `a/`.
    const prefixes = FINE_PREFIXES.filter((prefix) => prefix !== 'a');
    const sinks: Sink[] = [];
    for (const prefix of prefixes) sinks.push(await s3Sink(agent, bucket, prefix));
    const jobId = await agent.finishJob();
    for (const sink of sinks) await delivered(sink, jobId);
    const failed: unknown[] = [];
    for (const [i, sink] of sinks.entries()) {
      const { passed, steps } = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
      if (!passed) failed.push([prefixes[i], (steps as Body[]).at(-1)]);
    }
    expect(failed).toEqual([]);
    const expected = prefixes.map((prefix) => `${prefix}job-${jobId}.jsonl`);
    expect(await bucket.keysOf()).toEqual(expected.sort());
  });

  it('of a job with any id is below the prefix of its own sink, under one name, and nothing else is touched', async () => {
    const bucket = await Bucket.make();
    const agent = await activeAgent();
    const sink = await s3Sink(agent, bucket, 'own/');
    const others = ['job-x.jsonl', 'other-tenant/job-x.jsonl', 'own-too/job-x.jsonl', 'root'];
    for (const key of others) await bucket.put(key, `of somebody else: ${key}`);
    const ids = HOSTILE_JOB_IDS.filter(fits);
    for (const jobId of ids) await agent.finishJob(resultRows(1), jobId);
    const keys: string[] = [];
    for (const jobId of ids) keys.push(await delivered(sink, jobId));
    expect(keys).toEqual(ids.map((jobId) => `own/${written(jobId)}`));
    expect(new Set(keys).size).toBe(ids.length);
    expect(await bucket.keysOf()).toEqual([...others, ...keys].sort());
    for (const key of others) expect((await bucket.get(key)).bytes.toString()).toBe(`of somebody else: ${key}`);
  });

  it('of the longest prefix and the longest ids has a key of at most 1,024 bytes, another one for each job', async () => {
    await fake.be({});
    const bucket = {
      name: 'long-keys',
      endpointUrl: fake.endpointUrl,
      keys: { accessKeyId: 'AKIALONG', secretAccessKey: 'secret-key-of-long-keys' },
    };
    const agent = await activeAgent();
    const prefix = `${'é'.repeat(255)}x/`;
    const sink = await s3Sink(agent, bucket, prefix, { config: { maxRowsPerPush: 1, compression: 'gzip' } });
    const ids = [
      ...HOSTILE_JOB_IDS.filter((jobId) => !fits(jobId)),
      '数'.repeat(255),
      `${'数'.repeat(254)}x`,
      '/'.repeat(255),
    ];
    for (const jobId of ids) await agent.finishJob(resultRows(2), jobId);
    for (const { id } of await sink.deliveries('?limit=100'))
      expect(await agent.customer.settled(id as string)).toMatchObject({ status: 'DELIVERED' });
    const root = `/${bucket.name}/`;
    const keys = (await fake.state()).objects.map(({ key }) => key.slice(root.length));
    expect(keys).toHaveLength(2 * ids.length);
    for (const key of keys) {
      expect(key.startsWith(prefix)).toBe(true);
      expect(key.slice(prefix.length)).toMatch(/^job-[A-Za-z0-9_%-]+\.part-0000[12]-of-00002\.jsonl\.gz$/);
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(LONGEST_KEY);
    }
  });
});
