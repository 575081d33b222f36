import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSinks } from '../../src/data-sinks/index.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { FakeStore } from '../support/s3/fake-store-process.js';
import { s3Sink } from '../support/s3/s3-sink.js';
import { Bucket } from '../support/s3/store.js';

/** Two workspaces whose jobs have the same ids, each with a bucket beside an endpoint. */
const platform = suitePlatform({ options: { disableAfter: 1_000, pauseAfter: 1_000 } });

let bucket: Bucket;
/** Keeps what came in, with whose keys. */
let fake: FakeStore;
beforeAll(async () => {
  bucket = await Bucket.make();
  fake = await FakeStore.start();
});
afterAll(() => fake.stop());

let numbers = 0;
const newJobId = (): string => `job/${(numbers += 1)}:shared`;
const keyOf = (prefix: string, jobId: string): string => `${prefix}job-${encodeURIComponent(jobId)}.jsonl`;

interface Side {
  readonly agent: Agent;
  readonly lake: Sink;
  readonly webhook: Sink;
  readonly endpoint: Endpoint;
  readonly prefix: string;
  /** The ids of its job's rows. */
  readonly rows: readonly string[];
}

async function side(
  name: string,
  rows: number,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
): Promise<Side> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform().receiver.endpoint();
  const [lake, webhook] = [await s3Sink(agent, bucket, prefix, given), await agent.sink(endpoint)];
  const ids = Array.from({ length: rows }, (_, i) => `row_of_${name}_${i}`);
  return { agent, lake, webhook, endpoint, prefix, rows: ids };
}

async function twoSides(given: (name: 'a' | 'b') => Readonly<Record<string, unknown>> = () => ({})): Promise<Side[]> {
  const at = (numbers += 1);
  return [await side('a', 3, `a-${at}/`, given('a')), await side('b', 5, `b-${at}/`, given('b'))];
}

const finish = ({ agent, rows }: Side, jobId: string): Promise<string> =>
  agent.finishJob(
    rows.map((partnerRowId) => ({ partnerRowId })),
    jobId,
  );

const settled = async ({ agent, lake }: Side, jobId: string): Promise<Body> =>
  agent.customer.settled((await lake.deliveryOf(jobId)).id as string);

const lines = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Body)['partnerRowId'] as string);

async function redelivered({ agent }: Side, id: string): Promise<Body> {
  expectStatus(await agent.api.post(`deliveries/${id}/redeliver`), 202);
  return agent.customer.settled(id);
}

describe('of two workspaces with the same job id and a bucket each', () => {
  it('each has its own rows in its bucket, and the same rows at the endpoint beside it', async () => {
    const sides = await twoSides();
    const jobId = newJobId();
    await Promise.all(sides.map((one) => finish(one, jobId)));
    for (const one of sides) {
      const { id, status, attempts, payload } = await settled(one, jobId);
      const key = keyOf(one.prefix, jobId);
      expect({ status, manifest: attempts[0].manifestJson }).toMatchObject({
        status: 'DELIVERED',
        manifest: [{ key, status: 'written', sha256: payload.sha256 }],
      });
      expect(await bucket.keysOf(one.prefix)).toEqual([key]);
      const { bytes, headers } = await bucket.get(key);
      expect(lines(bytes)).toEqual(one.rows);
      expect(headers.get('x-amz-meta-delivery-id')).toBe(id);
      const webhook = await one.agent.customer.settled((await one.webhook.deliveryOf(jobId)).id as string);
      expect(webhook).toMatchObject({ status: 'DELIVERED', payload: { rows: one.rows.length } });
      const { results } = JSON.parse((await one.endpoint.first()).body ?? '') as Body;
      expect(results.map(({ partnerRowId }: Body) => partnerRowId)).toEqual(one.rows);
    }
  });

  it('each writes with its own keys, below its own prefix', async () => {
    await fake.be({});
    const keysOf = (name: string) => ({
      accessKeyId: `AKIAOF${name.toUpperCase()}`,
      secretAccessKey: `secret-key-of-${name}`,
    });
    const sides = await twoSides((name) => ({ secret: keysOf(name), config: { endpointUrl: fake.endpointUrl } }));
    const jobId = newJobId();
    await Promise.all(sides.map((one) => finish(one, jobId)));
    for (const one of sides) expect(await settled(one, jobId)).toMatchObject({ status: 'DELIVERED' });
    for (const one of sides) expectStatus(await one.agent.api.post(`${one.lake.path}/test`), 200);
    const { log } = await fake.state();
    const writes = log.filter(({ method }) => method !== 'GET');
    expect(writes.length).toBeGreaterThanOrEqual(8);
    for (const { url, headers } of writes) {
      const [a] = sides;
      const owner = url.startsWith(`/${bucket.name}/${a?.prefix ?? ''}`) ? 'A' : 'B';
      expect([url, headers['authorization']]).toEqual([url, expect.stringContaining(`Credential=AKIAOF${owner}/`)]);
    }
  });

  it('one cannot see, redeliver or push what the other’s bucket got', async () => {
    const [a, b] = (await twoSides()) as [Side, Side];
    const jobId = newJobId();
    await finish(a, jobId);
    const { id } = await settled(a, jobId);
    for (const path of [
      `deliveries/${id as string}`,
      `deliveries/${id as string}/payload`,
      a.lake.path,
      `${a.lake.path}/syncs`,
    ])
      expect([path, (await b.agent.api.get(path)).status]).toEqual([path, 404]);
    for (const path of [`deliveries/${id as string}/redeliver`, `${a.lake.path}/test`, `${a.lake.path}/secret`])
      expect([path, (await b.agent.api.post(path, {})).status]).toEqual([path, 404]);
    const refused = expectStatus(await b.agent.api.post(`${b.lake.path}/pushes`, { jobId }), 422);
    expect(refused.errors).toEqual([{ pointer: '/jobId', detail: 'is not a finished job of this agent' }]);
    expect(await bucket.keysOf(b.prefix)).toEqual([]);
  });

  it('each gets its own bytes again once it has moved them away, also where they must be made again', async () => {
    const [a, b] = (await twoSides()) as [Side, Side];
    const jobId = newJobId();
    for (const one of [a, b]) await finish(one, jobId);
    const ids = [(await settled(a, jobId)).id as string, (await settled(b, jobId)).id as string];
    const { workspaceId } = b.agent.customer;
    expect(await platform().app.get(DataSinks).erasePayloads({ workspaceId, jobId })).toMatchObject({ payloads: 2 });
    for (const [i, one] of [a, b].entries()) {
      const key = keyOf(one.prefix, jobId);
      await bucket.delete(key);
      expect(await redelivered(one, ids[i] ?? '')).toMatchObject({
        status: 'DELIVERED',
        payload: { rebuilt: i === 1 },
      });
      expect(lines((await bucket.get(key)).bytes)).toEqual(one.rows);
    }
  });

  it('neither overwrites the other’s object, where both were given one place', async () => {
    const prefix = `shared-${(numbers += 1)}/`;
    const [a, b] = [await side('a', 3, prefix, {}), await side('b', 5, prefix, {})];
    const jobId = newJobId();
    await finish(a, jobId);
    expect(await settled(a, jobId)).toMatchObject({ status: 'DELIVERED' });
    await finish(b, jobId);
    expect(await settled(b, jobId)).toMatchObject({ status: 'FAILED', lastErrorCode: 'object_differs' });
    expect(lines((await bucket.get(keyOf(prefix, jobId))).bytes)).toEqual(a.rows);
  });

  it('each has its own last part wait for its own other parts', async () => {
    const [a, b] = (await twoSides(() => ({ config: { maxRowsPerPush: 2 } }))) as [Side, Side];
    const jobId = newJobId();
    const name = (one: Side, part: number, of: number): string =>
      `${one.prefix}job-${encodeURIComponent(jobId)}.part-0000${part}-of-0000${of}.jsonl`;
    // Somebody has put something in the place of the first part of a.
    await bucket.put(name(a, 1, 2), 'mine');
    for (const one of [a, b]) await finish(one, jobId);
    const statusesOf = async (one: Side): Promise<unknown[]> => {
      const ids = (await one.lake.deliveries()).map(({ id }) => id as string);
      return (await Promise.all(ids.map((id) => one.agent.customer.settled(id)))).map(({ status }) => status);
    };
    expect(await statusesOf(b)).toEqual(['DELIVERED', 'DELIVERED', 'DELIVERED']);
    expect(await statusesOf(a)).toEqual(['FAILED', 'FAILED']);
    expect(await bucket.keysOf(b.prefix)).toEqual([1, 2, 3].map((part) => name(b, part, 3)));
    expect(await bucket.keysOf(a.prefix)).toEqual([name(a, 1, 2)]);
  });
});
