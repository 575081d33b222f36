import { beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { DataSinks } from '../../src/data-sinks/index.js';
import { Upkeep } from '../../src/data-sinks/upkeep/upkeep.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { readParquet } from '../support/parquet/read-back.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { FakeStore } from '../support/s3/fake-store-process.js';
import { s3Sink as newS3Sink, s3SinkBody } from '../support/s3/s3-sink.js';
import { Bucket } from '../support/s3/store.js';
import { until } from '../support/platform/until.js';
import { secretsIn } from './security/secret-marks.js';

const platform = suitePlatform();
let bucket: Bucket;
let fake: FakeStore;

beforeAll(async () => {
  bucket = await Bucket.make();
  fake = await FakeStore.start();
});
afterAll(() => fake.stop());

let prefixes = 0;
const newPrefix = (): string => `lake-${(prefixes += 1)}/`;

const s3Body = (prefix: string, given: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  s3SinkBody(bucket, prefix, given);
const s3Sink = (agent: Agent, prefix: string, given: Readonly<Record<string, unknown>> = {}): Promise<Sink> =>
  newS3Sink(agent, bucket, prefix, given);
const create = (agent: Agent, body: object) => agent.api.post(`${agent.path}/data-sources`, body);

const activeAgent = async (rules = {}): Promise<Agent> => (await platform().customer()).agent(rules);

describe('an S3 sink', () => {
  it('is created with two named values, of which only hints are shown', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const created = expectStatus(await create(agent, s3Body(prefix)), 201);
    expect(created).toMatchObject({
      type: 'S3',
      config: { bucket: bucket.name, prefix, region: 'us-east-1', endpointUrl: bucket.endpointUrl, kmsKeyId: null },
      secret: { hint: 'accessKeyId ****ROOT, secretAccessKey ****tore' },
      warnings: [],
    });
    expect(JSON.stringify(created)).not.toContain(bucket.keys.secretAccessKey);
  });

  it('of format PARQUET gets files that a reader of Parquet reads from the bucket', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix, { format: 'PARQUET', config: { maxRowsPerPush: 2, csvFormulas: 'raw' } });
    const test = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expect(test.passed).toBe(true);
    const jobId = await agent.finishJob(resultRows(3));
    const read: unknown[] = [];
    for (const part of ['00001', '00002']) {
      const key = `${prefix}job-${jobId}.part-${part}-of-00002.parquet`;
      const { bytes } = await until(() => bucket.get(key).catch(() => false as const), `${key} is there`);
      read.push(...(await readParquet(bytes)).rows);
    }
    expect(read).toEqual(resultRows(3));
    const wrong = { format: 'PARQUET', config: { compression: 'gzip' } };
    expect(expectStatus(await create(agent, s3Body(newPrefix(), wrong)), 422).errors).toMatchObject([
      { pointer: '/config/compression' },
    ]);
  });

  it('gets each finished job as one object whose bytes are the payload, and the attempt has its manifest', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix);
    const jobId = await agent.finishJob(resultRows(3));
    const delivery = await agent.customer.settled((await sink.deliveryOf(jobId)).id);
    const key = `${prefix}job-${jobId}.jsonl`;
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    const { payload, attempts } = delivery;
    expect(attempts).toMatchObject([
      {
        ...{ status: 'SUCCEEDED', errorCode: null, httpStatus: 200, authScheme: 'AwsSigV4' },
        url: `${bucket.endpointUrl}/${bucket.name}/${key}`,
        manifestJson: [{ key, size: payload.bytes, status: 'written', sha256: payload.sha256 }],
      },
    ]);
    const { bytes } = await bucket.get(key);
    expect(
      bytes
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual(resultRows(3));
    const [row] = await platform().sql<{ manifest_json: unknown; leftover: unknown }>(
      'SELECT manifest_json, leftover FROM agent_data_source_sync WHERE delivery_id = $1',
      [delivery['id']],
    );
    expect(row).toMatchObject({ manifest_json: [{ key }], leftover: null });
    expect(await bucket.keysOf(prefix)).toEqual([key]);
  });

  it('gets a rerun and the parts of a job under names of their own, also compressed', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix, { config: { maxRowsPerPush: 2, compression: 'gzip' }, format: 'CSV' });
    const jobId = await agent.finishJob(resultRows(5));
    for (const { id } of await sink.deliveries()) await agent.customer.settled(id as string);
    const names = ['part-00001-of-00003', 'part-00002-of-00003', 'part-00003-of-00003'];
    expect(await bucket.keysOf(prefix)).toEqual(names.map((name) => `${prefix}job-${jobId}.${name}.csv.gz`));

    await platform()
      .app.get(DataSinks)
      .recordJobCompleted({
        ...{ jobId, run: 2, agentId: agent.id, workspaceId: agent.customer.workspaceId, completedAt: new Date() },
        stats: { total: 5, matched: 4, unmatched: 1 },
      });
    for (const { id } of await sink.deliveries()) await agent.customer.settled(id as string);
    expect((await bucket.keysOf(prefix)).filter((key) => key.includes('.run-2.'))).toHaveLength(3);
  });

  it('has one object after a redelivery, and another one when the customer has moved it away', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix);
    const { id } = await sink.settledPush();
    const redelivered = async (): Promise<Body> => {
      expectStatus(await agent.api.post(`deliveries/${id as string}/redeliver`), 202);
      return agent.customer.settled(id as string);
    };
    const statusOf = ({ attempts }: Body): unknown => (attempts as Body[])[0]?.['manifestJson'];
    expect(statusOf(await redelivered())).toMatchObject([{ status: 'already_there' }]);
    const [key = ''] = await bucket.keysOf(prefix);
    await bucket.delete(key);
    expect(statusOf(await redelivered())).toMatchObject([{ status: 'written' }]);
  });

  it('never overwrites what the customer has put there', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix);
    const jobId = `job-of-${prefix.replace('/', '')}`;
    await bucket.put(`${prefix}job-${jobId}.jsonl`, 'mine');
    await agent.finishJob(resultRows(1), jobId);
    const delivery = await agent.customer.settled((await sink.deliveryOf(jobId)).id as string);
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'not_retryable', lastErrorCode: 'object_differs' });
    expect((delivery['attempts'] as Body[])[0]).toMatchObject({ advice: expect.stringContaining('other contents') });
    expect((await bucket.get(`${prefix}job-${jobId}.jsonl`)).bytes.toString()).toBe('mine');
  });

  it('cannot have the place of another sink of its workspace, at creating or by a change; another workspace can', async () => {
    const agent = await activeAgent();
    const [prefix, other] = [newPrefix(), newPrefix()];
    await s3Sink(agent, prefix);
    const taken = await create(agent, s3Body(prefix));
    expect([taken.status, taken.body]).toEqual([
      409,
      expect.objectContaining({ type: expect.stringMatching(/location-taken$/) }),
    ]);
    const second = await s3Sink(agent, other);
    const moved = await agent.api.patch(second.path, { config: { prefix }, secret: bucket.keys });
    expect(moved.status).toBe(409);
    await s3Sink(await activeAgent(), prefix);
    expectStatus(await agent.api.delete(second.path), 204);
    await s3Sink(agent, other);
  });

  it('needs its keys again when its place changes or its prefix becomes wider, and not when it becomes narrower', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, `${prefix}deep/`);
    for (const config of [{ bucket: 'another-bucket' }, { region: 'eu-west-1' }, { endpointUrl: null }, { prefix }]) {
      const answer = await agent.api.patch(sink.path, { config });
      expect([config, answer.status, answer.body]).toEqual([
        config,
        422,
        expect.objectContaining({
          type: expect.stringMatching(/secret-required$/),
          errors: [expect.objectContaining({ pointer: '/secret' })],
        }),
      ]);
    }
    expectStatus(await agent.api.patch(sink.path, { config: { prefix: `${prefix}deep/er/` } }), 200);
    expectStatus(await agent.api.patch(sink.path, { config: { prefix }, secret: bucket.keys }), 200);
    expectStatus(await agent.api.patch(sink.path, { name: 'Renamed', config: { compression: 'gzip' } }), 200);
  });

  it('has both keys replaced by a rotation, at once, and no overlap', async () => {
    const agent = await activeAgent();
    const sink = await s3Sink(agent, newPrefix(), {
      secret: { ...bucket.keys, secretAccessKey: 'a-wrong-secret-access-key' },
    });
    expect(await sink.settledPush()).toMatchObject({ status: 'FAILED', lastErrorCode: 'bucket_keys_refused' });
    const overlap = await agent.api.post(`${sink.path}/secret`, { ...bucket.keys, overlapSeconds: 60 });
    expect([overlap.status, overlap.body]).toEqual([
      422,
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/overlapSeconds' })] }),
    ]);
    const half = await agent.api.post(`${sink.path}/secret`, { accessKeyId: 'AKIA' });
    expect(half.body).toMatchObject({ errors: [{ pointer: '/secretAccessKey' }] });
    const rotated = expectStatus(await agent.api.post(`${sink.path}/secret`, bucket.keys), 200);
    expect(rotated).toMatchObject({ secret: { hint: expect.stringContaining('****tore') }, previousSecret: null });
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });

  it.each([
    ['a missing bucket', { config: { bucket: undefined } }, '/config/bucket'],
    ['a bucket in capitals', { config: { bucket: 'Acme_Bucket' } }, '/config/bucket'],
    ['a prefix that climbs', { config: { prefix: 'a/../b' } }, '/config/prefix'],
    ['an endpoint with a path', { config: { endpointUrl: 'https://store.example.com/path' } }, '/config/endpointUrl'],
    ['an endpoint inside a network', { config: { endpointUrl: 'https://10.0.0.1' } }, '/config/endpointUrl'],
    ['a field of a webhook', { config: { url: 'https://example.com' } }, '/config/url'],
    ['a secret of one value', { secret: { value: 'a secret' } }, '/secret/value'],
    ['no secret', { secret: undefined }, '/secret'],
    ['a type that is not offered', { type: 'FTP' }, '/type'],
  ])('is refused for %s, with a pointer to it', async (_what, given, pointer) => {
    const agent = await activeAgent();
    const answer = await create(agent, s3Body(newPrefix(), given));
    expect(answer.status).toBe(422);
    expect((answer.body['errors'] as Body[]).map((it) => it['pointer'])).toContain(pointer);
  });

  it('tells its keys in no event: delivered, failed, disabled, reactivated', async () => {
    const told: [name: string, event: string][] = [];
    const listen = (name: string | string[], event: unknown) => void told.push([String(name), JSON.stringify(event)]);
    const emitter = platform().app.get(EventEmitter2).onAny(listen);
    try {
      await fake.be({});
      const agent = await activeAgent();
      const keys = { accessKeyId: 'AKIA+marked/id=of', secretAccessKey: 'marked+secret/key=of&events' };
      const sink = await s3Sink(agent, newPrefix(), { secret: keys, config: { endpointUrl: fake.endpointUrl } });
      expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
      await fake.be({ answers: { status: 410, body: JSON.stringify(keys) } });
      expect(await sink.settledPush()).toMatchObject({ status: 'FAILED' });
      await until(async () => (await agent.api.get(sink.path)).body.status === 'DISABLED', 'the sink is disabled');
      await fake.be({});
      expect(expectStatus(await agent.api.post(`${sink.path}/test`), 200)).toMatchObject({ reactivated: true });
      const ours = told.filter(([, event]) => event.includes(sink.id));
      expect(ours.map(([name]) => name)).toEqual(
        expect.arrayContaining([
          'DataSinkPushDelivered',
          'DataSinkPushFailed',
          'DataSinkDisabled',
          'DataSinkReactivated',
        ]),
      );
      expect(told.filter(([, event]) => secretsIn(event, new Map(Object.entries(keys))).length > 0)).toEqual([]);
    } finally {
      emitter.offAny(listen);
    }
  });

  it('of a type that was taken out of the host keeps its deliveries waiting, and says so in the log', async () => {
    const agent = await activeAgent();
    const sink = await s3Sink(agent, newPrefix());
    await platform().sql(`UPDATE agent_data_source SET type = 'GONE' WHERE id = $1`, [sink.id]);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await platform().logs.line(/no destination of type GONE: add it to/, id as string);
    expect(await agent.customer.delivery(id as string)).toMatchObject({
      attemptCount: 0,
      retriesSpent: 0,
      settledAt: null,
    });
    // The customer sees what is there, and that it cannot be used; the operator sees a failure of our own side.
    expect(expectStatus(await agent.api.get(sink.path), 200)).toMatchObject({ type: 'GONE', status: 'ACTIVE' });
    for (const answer of [
      await agent.api.post(`${sink.path}/test`),
      await agent.api.patch(sink.path, { config: { prefix: 'other/' } }),
      await agent.api.post(`${sink.path}/secret`, bucket.keys),
    ])
      expect([answer.status, answer.body.type]).toEqual([409, expect.stringMatching(/destination-missing$/)]);
    await until(async () => {
      const { text } = await platform().client(null).get('/metrics');
      return /^data_sinks_own_failures_total\{kind="internal"[^}]*\} [1-9]/m.test(text);
    }, 'the metrics tell of it');
    // It waits still, and so does a second one; neither has lost a try.
    const second = await sink.deliveryOf(await agent.finishJob());
    for (const waiting of [id as string, second.id as string])
      expect(await agent.customer.delivery(waiting)).toMatchObject({ retriesSpent: 0, settledAt: null });
    await platform().sql(`UPDATE agent_data_source SET type = 'S3' WHERE id = $1`, [sink.id]);
    await agent.customer.hurry(second.id as string);
    expect(await agent.customer.settled(second.id as string)).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    await agent.customer.hurry(id as string);
    expect(await agent.customer.settled(id as string)).toMatchObject({ status: 'DELIVERED' });
  });
});

it('a sink of a type that was taken out of the host can be deleted', async () => {
  const agent = await activeAgent();
  const sink = await s3Sink(agent, newPrefix());
  await platform().sql(`UPDATE agent_data_source SET type = 'GONE' WHERE id = $1`, [sink.id]);
  expectStatus(await agent.api.delete(sink.path), 204);
  expectStatus(await agent.api.get(sink.path), 404);
});

describe('the Test of an S3 sink', () => {
  it('passes with all its steps and the smallest policy, and leaves nothing where it may delete', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix);
    for (let times = 0; times < 2; times += 1) {
      const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
      expect(result).toMatchObject({ passed: true, status: 'SUCCEEDED', failedStep: null, sent: { method: 'PUT' } });
      const names = (result['steps'] as Body[]).map((it) => it['name']);
      expect(names).toEqual([
        'name',
        'DNS',
        'address',
        'connection',
        'TLS',
        'keys',
        'region',
        'bucket',
        'write',
        'condition',
        'clean-up',
      ]);
      expect(JSON.parse(result['policy'] as string)).toEqual({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket.name}/${prefix}*` }],
      });
    }
    expect(await bucket.keysOf(prefix)).toEqual([]);
  });

  it.each([
    [
      'keys that are wrong',
      { secret: { accessKeyId: 'AKIAWRONG', secretAccessKey: 'wrong-secret-access-key' } },
      'credentials',
      'keys',
    ],
    ['a bucket that is not there', { config: { bucket: 'no-such-bucket-here' } }, 'bucket', 'bucket'],
    ['a port that nobody listens on', { config: { endpointUrl: 'http://127.0.0.1:9' } }, 'connect', 'connection'],
  ])('fails for %s at its step', async (_what, given, failedStep, last) => {
    const agent = await activeAgent();
    const sink = await s3Sink(agent, newPrefix(), given);
    const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: false, failedStep, advice: expect.any(String) });
    expect((result['steps'] as Body[]).at(-1)).toMatchObject({ name: last, passed: false });
  });

  it('fails for a store that ignores the condition, and the sink says so', async () => {
    await fake.be({ ignoresConditions: true });
    const agent = await activeAgent();
    const sink = await s3Sink(agent, newPrefix(), { config: { endpointUrl: fake.endpointUrl } });
    const result = expectStatus(await agent.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: false, errorCode: 'condition_ignored', failedStep: 'condition' });
    expect(expectStatus(await agent.api.get(sink.path), 200)).toMatchObject({
      lastTest: { passed: false, isCurrent: true },
    });
  });
});

describe('an upload in parts that a crash has cut off', () => {
  it('is aborted by the next sweep, and before its sink is deleted', async () => {
    const agent = await activeAgent();
    const prefix = newPrefix();
    const sink = await s3Sink(agent, prefix);
    const leave = async (name: string): Promise<void> => {
      const { id } = await sink.settledPush(resultRows(2));
      const uploadId = await bucket.beginUpload(`${prefix}${name}`);
      const place = { endpointUrl: bucket.endpointUrl, region: 'us-east-1', bucket: bucket.name };
      await platform().sql(
        `UPDATE agent_data_source_sync SET status = 'ABANDONED', leftover = $2::jsonb WHERE delivery_id = $1`,
        [id, JSON.stringify({ ...place, key: `${prefix}${name}`, uploadId })],
      );
    };
    await leave('one.jsonl');
    expect(await bucket.uploads()).toHaveLength(1);
    await platform().app.get(Upkeep, { strict: false }).sweep();
    await platform().app.get(Upkeep, { strict: false }).sweep();
    expect(await bucket.uploads()).toEqual([]);
    await leave('two.jsonl');
    expectStatus(await agent.api.delete(sink.path), 204);
    expect(await bucket.uploads()).toEqual([]);
  });
});
