import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Agent, expectStatus, sinkBody } from '../support/platform/customer.js';
import type { Body } from '../support/platform/api-client.js';
import type { ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { FakeStore } from '../support/s3/fake-store-process.js';
import { Bucket } from '../support/s3/store.js';

const platform = suitePlatform({ options: { pingOnSave: true, testsPerMinute: 3 } });
const SILENT = [expect.stringMatching(/^The data source was saved, but its destination did not answer a ping/)];

let bucket: Bucket;
let fake: FakeStore;
beforeAll(async () => {
  bucket = await Bucket.make();
  fake = await FakeStore.start();
});
afterAll(() => fake.stop());

const activeAgent = async (): Promise<Agent> => (await platform().customer()).agent();

async function save(agent: Agent, body: object): Promise<Body> {
  const saved = expectStatus(await agent.api.post(`${agent.path}/data-sources`, body), 201);
  return saved as Body;
}

describe('saving a webhook', () => {
  it('asks the endpoint by OPTIONS, without a body, credentials or headers of the customer’s', async () => {
    const endpoint = await platform().receiver.endpoint();
    await endpoint.doesWithPing([{ kind: 'answer', status: 405 }]);
    const secret = { value: 'a-token-that-is-long-enough' };
    const config = { authScheme: 'Bearer', customHeaders: [{ name: 'X-Api-Key', value: 'key-of-theirs' }] };
    const body = sinkBody(endpoint.url, { secret });
    const saved = await save(await activeAgent(), { ...body, config: { ...(body['config'] as object), ...config } });
    expect(saved['warnings']).toEqual([]);
    expect(endpoint.requests).toMatchObject([{ method: 'OPTIONS', bytes: 0 }]);
    const [{ headers } = { headers: {} }] = endpoint.requests;
    expect(Object.keys(headers).sort()).toEqual([
      'accept-encoding',
      'connection',
      'content-length',
      'host',
      'user-agent',
    ]);
    // Receivers written by hand read a length from every request, and break without it.
    expect(headers).toMatchObject({ 'content-length': '0' });
  });

  it.each<[string, ReceiverStep]>([
    ['closes the connection', { kind: 'close' }],
    ['resets the connection', { kind: 'reset' }],
    ['answers something that is not HTTP', { kind: 'garbage' }],
    ['never answers', { kind: 'hang' }],
  ])('is a warning, in the same words, when the endpoint %s', async (_, step) => {
    const endpoint = await platform().receiver.endpoint();
    await endpoint.doesWithPing([step]);
    const agent = await activeAgent();
    const saved = await save(agent, sinkBody(endpoint.url));
    expect(saved['warnings']).toEqual(SILENT);
    expectStatus(await agent.api.get(`${agent.path}/data-sources/${String(saved['id'])}`), 200);
  });

  it('asks again when the URL or the secret changes, and not for a name', async () => {
    const endpoint = await platform().receiver.endpoint();
    await endpoint.doesWithPing([{ kind: 'answer' }]);
    const agent = await activeAgent();
    const { id } = await save(agent, sinkBody(endpoint.url));
    const change = async (body: object): Promise<number> => {
      expectStatus(await agent.api.patch(`${agent.path}/data-sources/${String(id)}`, body), 200);
      return endpoint.requests.length;
    };
    expect(await change({ name: 'Other' })).toBe(1);
    expect(await change({ secret: { value: 'another-secret-that-is-long-enough' } })).toBe(2);
    const moved = await platform().receiver.endpoint();
    await moved.doesWithPing([{ kind: 'close' }]);
    const answer = await agent.api.patch(`${agent.path}/data-sources/${String(id)}`, { config: { url: moved.url } });
    expect(expectStatus(answer, 200)['warnings']).toEqual(SILENT);
  });

  it('counts as a Test, and is saved without a question when there were enough', async () => {
    const endpoint = await platform().receiver.endpoint();
    await endpoint.doesWithPing([{ kind: 'answer' }]);
    const agent = await activeAgent();
    const { id } = await save(agent, sinkBody(endpoint.url));
    const path = `${agent.path}/data-sources/${String(id)}`;
    for (let i = 0; i < 2; i++) expectStatus(await agent.api.post(`${path}/test`), 200);
    expectStatus(await agent.api.post(`${path}/test`), 429);
    const asked = endpoint.requests.length;
    const changed = await agent.api.patch(path, { secret: { value: 'another-secret-that-is-long-enough' } });
    expect(expectStatus(changed, 200)['warnings']).toEqual([]);
    expect(endpoint.requests).toHaveLength(asked);
  });
});

describe('saving a bucket', () => {
  const lake = (endpointUrl: string, secret: object = bucket.keys): object => ({
    ...{ role: 'RESULTS_SINK', type: 'S3', name: 'Lake', format: 'JSONL', secret },
    config: { bucket: bucket.name, prefix: 'in/', region: 'us-east-1', endpointUrl },
  });

  it('says nothing when the keys are right', async () => {
    expect((await save(await activeAgent(), lake(bucket.endpointUrl)))['warnings']).toEqual([]);
  });

  it('is a warning when the store does not know the keys', async () => {
    for (const keys of [
      { ...bucket.keys, accessKeyId: 'AKIANOBODYKNOWSTHIS0' },
      { ...bucket.keys, secretAccessKey: 'not-the-one-that-belongs-to-the-key-id' },
    ]) {
      expect((await save(await activeAgent(), lake(bucket.endpointUrl, keys)))['warnings']).toEqual(SILENT);
    }
  });

  it('says nothing when the keys may not list, which writing does not need', async () => {
    await fake.be({ answers: { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } });
    expect((await save(await activeAgent(), lake(fake.endpointUrl)))['warnings']).toEqual([]);
    const { log } = await fake.state();
    expect(log.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET /${bucket.name}/?list-type=2&max-keys=0`]);
  });

  it.each(['NoSuchBucket', 'PermanentRedirect'])('is a warning when the store says %s', async (code) => {
    await fake.be({ answers: { status: 404, body: `<Error><Code>${code}</Code></Error>` } });
    expect((await save(await activeAgent(), lake(fake.endpointUrl)))['warnings']).toEqual(SILENT);
  });
});
