import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it, jest } from '@jest/globals';
import type { Destination } from '../../../src/data-sinks/index.js';
import { ServerClock } from '../../../src/data-sinks/database/server-clock.js';
import { HttpsWebhookDestination } from '../../../src/data-sinks/destinations/https-webhook/https-webhook.destination.js';
import { PushSigner } from '../../../src/data-sinks/destinations/https-webhook/push-signer.js';
import { createNetworkPolicy } from '../../../src/data-sinks/domain/network-policy.js';
import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { destinationConformance } from '../../../src/data-sinks/testing/index.js';
import { loopbackClient, LOOPBACK_RANGES } from '../../support/egress/push-client-fixture.js';
import { Receiver } from '../../support/platform/receiver-process.js';
import { s3Destination } from '../../support/s3/s3-push.js';
import { Bucket } from '../../support/s3/store.js';

// The example imports the package by its name, as a host does.
jest.unstable_mockModule('nestjs-data-sinks', () => import('../../../src/data-sinks/index.js'), { virtual: true });
const { DirectoryDestination } = await import('../../../docs/examples/own-destination/directory.destination.js');

let client: PushClient;
let receiver: Receiver;
let bucket: Bucket;
let root: string;

beforeAll(async () => {
  client = loopbackClient();
  receiver = await Receiver.start();
  bucket = await Bucket.make();
  root = await mkdtemp(join(tmpdir(), 'data-sinks-own-'));
});
afterAll(async () => {
  await client.close();
  await receiver.stop();
  await rm(root, { recursive: true });
});

describe('HTTPS_WEBHOOK is a destination that', () => {
  const checks = destinationConformance(async () => {
    const policy = createNetworkPolicy({ privateRanges: LOOPBACK_RANGES });
    const signer = new PushSigner(new ServerClock(Date.now));
    const endpoint = await receiver.endpoint();
    return {
      destination: new HttpsWebhookDestination(signer, client, policy, randomBytes, {
        allowedPorts: [443],
      }) as Destination,
      config: { url: endpoint.url, authScheme: 'Bearer' },
      secret: { value: 'a-token-that-nobody-else-has' },
      wrongConfig: { url: 'ftp://example.com', authScheme: 'Bearer' },
      received: async () => Buffer.from((await endpoint.first()).body ?? ''),
    };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('S3 is a destination that', () => {
  const checks = destinationConformance(() => ({
    destination: s3Destination(client) as Destination,
    config: { bucket: bucket.name, region: 'us-east-1', endpointUrl: bucket.endpointUrl, prefix: 'conformance' },
    secret: bucket.keys,
    wrongConfig: { bucket: 'No Bucket', region: 'us-east-1' },
    received: async () => {
      const [key] = (await bucket.keysOf('conformance/job-')).reverse();
      return key === undefined ? null : (await bucket.get(key)).bytes;
    },
  }));
  for (const { name, run } of checks) it(name, run);
});

describe('the example of a host’s own destination is one that', () => {
  class InTemporaryDirectory extends DirectoryDestination {
    protected override readonly root = root;
  }
  const checks = destinationConformance(() => ({
    destination: new InTemporaryDirectory() as Destination,
    config: { directory: 'acme' },
    secret: {},
    wrongConfig: { directory: '../etc' },
    received: (deliveryId) => readFile(join(root, 'acme', `${deliveryId}.jsonl`)),
  }));
  for (const { name, run } of checks) it(name, run);
});
