import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { S3Destination } from '../../../src/data-sinks/destinations/s3/s3.destination.js';
import { parseRecipe } from '../../../src/data-sinks/domain/body/payload-recipe.js';
import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { loopbackClient } from '../../support/egress/push-client-fixture.js';
import { FakeStore } from '../../support/s3/fake-store-process.js';
import { bodyOf, DeliveryRecord, pushTo, s3Config, s3Destination } from '../../support/s3/s3-push.js';
import { Bucket } from '../../support/s3/store.js';

let client: PushClient;
let destination: S3Destination;
let bucket: Bucket;
let fake: FakeStore;

beforeAll(async () => {
  client = loopbackClient();
  destination = s3Destination(client);
  bucket = await Bucket.make({ versioned: true });
  fake = await FakeStore.start();
});
afterAll(async () => {
  await client.close();
  await fake.stop();
});

const KEYS = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'secret-of-nobody' };
let jobs = 0;
const real = (given = {}) => {
  const config = s3Config({ bucket: bucket.name, endpointUrl: bucket.endpointUrl });
  return pushTo(config, bucket.keys, { jobId: `job_${++jobs}`, ...given });
};
const faked = (given = {}) =>
  pushTo(s3Config({ endpointUrl: fake.endpointUrl }), KEYS, { jobId: `job_${++jobs}`, ...given });
const SMALL = bodyOf(Buffer.from('{"partnerRowId":"row_1"}\n'));
const LARGE = bodyOf(randomBytes(66 * 1024 * 1024), 1_000_000);

describe('an object of a real store', () => {
  it('has the bytes of the payload, their hash in its metadata, and a name of prefix and job', async () => {
    const push = real();
    const report = await new DeliveryRecord().send(destination, push, SMALL);
    expect(report.outcome).toEqual({
      ...{ status: 'SUCCEEDED', errorCode: null, verdict: 'DELIVERED', retryAfterMs: null, receiverDown: false },
    });
    const key = `incoming/job-${push.jobId}.jsonl`;
    const { size, sha256 } = { size: SMALL.payload.bytes, sha256: SMALL.payload.sha256 };
    expect(report.manifest).toEqual([
      { key, size, sha256, status: 'written', etag: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
    const { bytes, headers } = await bucket.get(key);
    expect(bytes.equals(SMALL.whole ?? Buffer.alloc(0))).toBe(true);
    expect(headers.get('x-amz-meta-sha256')).toBe(sha256);
  });

  it.each([
    ['CSV;gzip', 'csv.gz'],
    ['JSON;rows=500;part=3/12', 'part-00003-of-00012.json'],
  ])('of the recipe %s is named .%s', async (recipe, ending) => {
    const push = real({ recipe: parseRecipe(recipe), run: 2 });
    await new DeliveryRecord().send(destination, push, SMALL);
    expect(await bucket.keysOf(`incoming/job-${push.jobId}`)).toEqual([`incoming/job-${push.jobId}.run-2.${ending}`]);
  });

  it('is written once by eight that race for it, whose record says so of each', async () => {
    const push = real();
    const reports = await Promise.all(
      Array.from({ length: 8 }, () => new DeliveryRecord().send(destination, push, SMALL)),
    );
    const statuses = reports.flatMap(({ manifest }) => manifest?.map(({ status }) => status) ?? []);
    expect(statuses.filter((status) => status === 'written')).toHaveLength(1);
    for (const { outcome, manifest } of reports) {
      // Of those that came at the very same moment some may be told to try again.
      expect([outcome.status, outcome.verdict, manifest?.[0]?.status]).toEqual(
        outcome.status === 'SUCCEEDED'
          ? ['SUCCEEDED', 'DELIVERED', expect.stringMatching(/^(written|already_there)$/)]
          : ['HTTP_4XX', 'RETRY', 'not_written'],
      );
    }
    expect((await bucket.versions()).filter((key) => key.includes(push.jobId))).toHaveLength(1);
  });

  it('that is there with other contents is not overwritten, and the attempt is final', async () => {
    const push = real();
    const key = `incoming/job-${push.jobId}.jsonl`;
    await bucket.put(key, 'of the customer');
    const { outcome } = await new DeliveryRecord().send(destination, push, SMALL);
    expect(outcome).toMatchObject({ status: 'HTTP_4XX', errorCode: 'object_differs', verdict: 'FINAL' });
    expect((await bucket.get(key)).bytes.toString()).toBe('of the customer');
  });

  it('is written again by a redelivery when the customer has moved it away', async () => {
    // versitygw takes a deletion in a versioned bucket for an object that is there; AWS does not.
    const plain = await Bucket.make();
    const push = real({ config: s3Config({ bucket: plain.name, endpointUrl: plain.endpointUrl }) });
    const record = new DeliveryRecord();
    await record.send(destination, push, SMALL);
    expect((await record.send(destination, push, SMALL)).manifest).toMatchObject([{ status: 'already_there' }]);
    await plain.delete(`incoming/job-${push.jobId}.jsonl`);
    expect((await record.send(destination, push, SMALL)).manifest).toMatchObject([{ status: 'written' }]);
  });

  it('of over 64 MB is uploaded in parts under the same condition, and leaves no upload', async () => {
    const push = real();
    const record = new DeliveryRecord();
    const left: unknown[] = [];
    const report = await record.send(destination, push, LARGE, {
      leaves: async (what) => void left.push((record.leftover = what)),
    });
    expect(report.outcome.status).toBe('SUCCEEDED');
    expect(left).toEqual([
      expect.objectContaining({ key: `incoming/job-${push.jobId}.jsonl`, uploadId: null }),
      expect.objectContaining({
        bucket: bucket.name,
        key: `incoming/job-${push.jobId}.jsonl`,
        uploadId: expect.any(String),
      }),
    ]);
    expect([record.leftover, await bucket.uploads()]).toEqual([null, []]);
    const { bytes } = await bucket.get(`incoming/job-${push.jobId}.jsonl`);
    expect(bodyOf(bytes).payload.sha256).toBe(LARGE.payload.sha256);

    const again = await new DeliveryRecord().send(destination, push, LARGE);
    expect(again.manifest).toMatchObject([{ status: 'already_there' }]);
    expect(await bucket.uploads()).toEqual([]);
  });

  it('whose upload was cut off is cleaned up by what is on the record, any number of times', async () => {
    const push = real();
    const record = new DeliveryRecord();
    const stop = new AbortController();
    const cut = {
      ...LARGE,
      open: cutAfter(
        () => LARGE.open(),
        20_000_000,
        () => stop.abort(new Error('killed')),
      ),
    };
    await expect(
      record.send(destination, push, cut, { signal: stop.signal, leavesNothing: async () => undefined }),
    ).rejects.toThrow('killed');
    const { leftover } = record;
    expect(leftover).not.toBeNull();
    const secrets = await push.secrets();
    if (leftover) {
      expect(await destination.cleanUp(leftover, push.config, secrets, push)).toBe(true);
      expect(await destination.cleanUp(leftover, push.config, secrets, push)).toBe(true);
    }
    expect(await bucket.uploads()).toEqual([]);
  });

  it('is refused for keys that are wrong, and nothing that is told of it has them', async () => {
    const keys = { ...bucket.keys, secretAccessKey: 'not-the-secret-of-the-store' };
    const push = pushTo(s3Config({ bucket: bucket.name, endpointUrl: bucket.endpointUrl }), keys);
    const report = await new DeliveryRecord().send(destination, push, SMALL);
    expect(report.outcome).toMatchObject({ errorCode: 'bucket_keys_refused', verdict: 'FINAL' });
    expect(JSON.stringify(report)).not.toMatch(new RegExp(`${keys.secretAccessKey}|${keys.accessKeyId}`));
  });

  it('of a bucket that is not there is final', async () => {
    const push = pushTo(s3Config({ bucket: 'no-such-bucket-here', endpointUrl: bucket.endpointUrl }), bucket.keys);
    const { outcome } = await new DeliveryRecord().send(destination, push, SMALL);
    expect(outcome).toMatchObject({ status: 'HTTP_4XX', errorCode: 'bucket_not_found', verdict: 'FINAL' });
  });
});

describe('a store that drops the answer of every first try', () => {
  it.each([
    ['put whole', SMALL, 2],
    ['in parts', LARGE, 9],
  ])('has one object of one version, %s, and the last attempt says that it is there', async (_how, body, tries) => {
    await fake.be({ dropsFirstAnswers: true });
    const push = faked();
    const record = new DeliveryRecord();
    const statuses: string[] = [];
    for (let i = 0; i < tries + 5 && statuses.at(-1) !== 'SUCCEEDED'; i += 1) {
      const { outcome } = await record.send(destination, push, body);
      expect(outcome.verdict).toMatch(/^(RETRY|RETRY_AT_ONCE|DELIVERED)$/);
      statuses.push(outcome.status);
    }
    expect(statuses.at(-1)).toBe('SUCCEEDED');
    expect(record.objects.at(-1)?.status).toMatch(/^(written|already_there)$/);
    expect((await fake.state()).objects).toMatchObject([{ versions: 1 }]);
  });
});

describe('keys that may write and not read', () => {
  it('take an object for their own only where an attempt before sent all of it and heard no answer', async () => {
    await fake.be({ deniesReading: true, dropsFirstAnswers: true });
    const push = faked();
    const record = new DeliveryRecord();
    expect((await record.send(destination, push, SMALL)).manifest).toMatchObject([{ status: 'sent' }]);
    const again = await record.send(destination, push, SMALL);
    expect(again).toMatchObject({
      outcome: { status: 'SUCCEEDED' },
      manifest: [{ status: 'already_there_uncompared' }],
    });
    const other = await new DeliveryRecord().send(destination, push, SMALL);
    expect(other).toMatchObject({
      outcome: { errorCode: 'object_exists', verdict: 'FINAL' },
      manifest: [{ status: 'not_written' }],
    });
  });
});

it('a store that refuses optional headers takes everything, whole and in parts', async () => {
  await fake.be({ refusesOptionalHeaders: true });
  for (const body of [SMALL, LARGE]) {
    const { outcome } = await new DeliveryRecord().send(destination, faked(), body);
    expect(outcome.status).toBe('SUCCEEDED');
  }
});

function cutAfter(open: typeof LARGE.open, bytes: number, cut: () => void): typeof LARGE.open {
  return async function* () {
    let sent = 0;
    for await (const chunk of open()) {
      sent += chunk.length;
      if (sent > bytes) cut();
      yield chunk;
    }
  };
}
