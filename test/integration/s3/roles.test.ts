import { createHash, randomBytes } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { S3Destination } from '../../../src/data-sinks/destinations/s3/s3.destination.js';
import { S3Roles } from '../../../src/data-sinks/destinations/s3/s3-roles.js';
import type { Push } from '../../../src/data-sinks/destinations/destination.js';
import type { S3Config } from '../../../src/data-sinks/destinations/s3/s3-config.js';
import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { loopbackClient } from '../../support/egress/push-client-fixture.js';
import { FakeAws } from '../../support/s3/fake-aws-process.js';
import { PLATFORM_KEYS, PlatformCredentials, ROLE } from '../../support/s3/role-platform.js';
import { bodyOf, DeliveryRecord, pushTo, s3Config, s3Destination } from '../../support/s3/s3-push.js';

const EXTERNAL_ID = 'the-external-id-of-this-workspace';
const LARGE = randomBytes(66 * 1024 * 1024);
const SMALL = Buffer.from('{"partnerRowId":"row_1"}\n');

let client: PushClient;
let aws: FakeAws;
let destination: S3Destination;

beforeAll(async () => {
  client = loopbackClient();
  aws = await FakeAws.start();
});
beforeEach(async () => {
  // Sessions are kept by the destination: each test begins without any.
  const roles = new S3Roles(client, new PlatformCredentials(), { of: async () => EXTERNAL_ID }, aws.url);
  destination = s3Destination(client, roles);
  await aws.be({ platform: PLATFORM_KEYS, roles: { [ROLE]: EXTERNAL_ID } });
});
afterAll(async () => {
  await client.close();
  await aws.stop();
});

let jobs = 0;
function push(config: Partial<S3Config> = {}): Push<S3Config> {
  const of = s3Config({ endpointUrl: aws.url, region: 'eu-west-1', roleArn: ROLE, externalId: EXTERNAL_ID, ...config });
  return pushTo(of, { accessKeyId: '', secretAccessKey: '' }, { jobId: `job_${(jobs += 1)}` });
}

describe('an upload in parts with a role', () => {
  it('goes on with a new session where the first one ends in the middle', async () => {
    const body = bodyOf(LARGE, 1_000_000);
    let read = 0;
    const cut = {
      ...body,
      async *open() {
        for await (const chunk of body.open()) {
          read += 1;
          if (read === 30) await aws.endSessions();
          yield chunk;
        }
      },
    };
    const given = push();
    const report = await new DeliveryRecord().send(destination, given, cut);
    expect([report.outcome.status, report.manifest?.[0]?.status]).toEqual(['SUCCEEDED', 'written']);
    const { asked, stored, uploads, objects } = await aws.state();
    expect(asked.map(({ result }) => result)).toEqual(['session', 'AccessDenied', 'session', 'AccessDenied']);
    expect(stored.filter(({ status }) => status === 400)).toHaveLength(1);
    expect([uploads, objects.map(({ key }) => key)]).toEqual([[], [`incoming/job-${given.jobId}.jsonl`]]);
  });

  it('that a crash has cut off is aborted with a session for its prefix', async () => {
    const given = push();
    const record = new DeliveryRecord();
    const stop = new AbortController();
    const body = bodyOf(LARGE, 1_000_000);
    const cut = {
      ...body,
      async *open() {
        for await (const chunk of body.open()) {
          yield chunk;
          if (record.leftover?.['uploadId']) stop.abort(new Error('killed'));
        }
      },
    };
    await expect(
      record.send(destination, given, cut, { signal: stop.signal, leavesNothing: async () => undefined }),
    ).rejects.toThrow('killed');
    const secrets = await given.secrets();
    expect(record.leftover).not.toBeNull();
    if (record.leftover) expect(await destination.cleanUp(record.leftover, given.config, secrets, given)).toBe(true);
    expect((await aws.state()).uploads).toEqual([]);
    await aws.endSessions();
    await aws.become({ roles: {} });
    // Of a role that lets nobody in any more nobody can tell.
    if (record.leftover) expect(await destination.cleanUp(record.leftover, given.config, secrets, given)).toBe(false);
  });
});

describe('a session of a role', () => {
  it('ends at the prefix: the store denies what is beside it, and every deletion', async () => {
    await new DeliveryRecord().send(destination, push(), bodyOf(SMALL));
    const { sessions, objects } = await aws.state();
    const [session] = sessions;
    if (!session) throw new Error('there is no session');
    const holder = new AwsClient({ ...session, service: 's3', region: 'eu-west-1', retries: 0 });
    const statusOf = async (method: string, key: string): Promise<number> => {
      const sha256 = createHash('sha256').update('').digest('hex');
      const headers = { 'x-amz-content-sha256': sha256 };
      return (await holder.fetch(`${aws.url}/acme-mapping-results/${key}`, { method, headers })).status;
    };
    expect(await statusOf('PUT', 'incoming/mine')).toBe(200);
    expect(await statusOf('PUT', 'incoming-2/mine')).toBe(403);
    expect(await statusOf('PUT', 'mine')).toBe(403);
    expect(await statusOf('DELETE', objects[0]?.key ?? '')).toBe(403);
  });

  it('means a prefix with a star as it is, and writes below it', async () => {
    const given = push({ prefix: 'a*b?$' });
    const report = await new DeliveryRecord().send(destination, given, bodyOf(SMALL));
    expect(report.outcome.status).toBe('SUCCEEDED');
    expect((await aws.state()).objects.map(({ key }) => key)).toEqual([`a*b?$/job-${given.jobId}.jsonl`]);
  });

  it('is not begun by an attempt that was told to stop', async () => {
    const stop = new AbortController();
    const reason = new Error('shutdown');
    stop.abort(reason);
    const sent = new DeliveryRecord().send(destination, push(), bodyOf(SMALL), { signal: stop.signal });
    await expect(sent).rejects.toBe(reason);
    // What had been asked for would be there by now.
    await new DeliveryRecord().send(destination, push(), bodyOf(SMALL));
    expect((await aws.state()).asked).toHaveLength(2);
  });

  it.each([
    ['a wrong key', { secretAccessKey: 'another' }, 'SignatureDoesNotMatch'],
    ['a token that is over', { sessionToken: 'the next one' }, 'InvalidToken'],
    ['a key that AWS does not know', { accessKeyId: 'AKIAOTHER' }, 'InvalidClientTokenId'],
  ])('is our failure where the platform has %s', async (_what, other, result) => {
    await aws.become({ platform: { ...PLATFORM_KEYS, ...other } });
    const { outcome, answer } = await new DeliveryRecord().send(destination, push(), bodyOf(SMALL));
    expect(outcome).toMatchObject({ errorCode: 'role_credentials_refused', verdict: 'RETRY_FREE' });
    expect((await aws.state()).asked).toMatchObject([{ result }]);
    // The text of the error names whom we are.
    expect(JSON.stringify(answer)).not.toContain('AKIA');
  });
});

describe('a host that has taken its credentials out again', () => {
  it('makes no attempt, and tells whoever tests the sink', async () => {
    const without = s3Destination(client);
    const given = push();
    await expect(without.prepare(given).ready(bodyOf(SMALL))).rejects.toMatchObject({ code: 'destination_missing' });
    const probed = { ...given, body: SMALL, sha256: '', traceparent: null };
    await expect(without.probe(probed)).rejects.toMatchObject({ code: 'destination-missing' });
    expect(without.trustPolicy(given.config)).toBeNull();
    expect((await aws.state()).asked).toEqual([]);
  });
});
