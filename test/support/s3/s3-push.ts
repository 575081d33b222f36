import { createHash } from 'node:crypto';
import type { AttemptUnderway, Leftover, Push, SendReport } from '../../../src/data-sinks/destinations/destination.js';
import { S3Destination } from '../../../src/data-sinks/destinations/s3/s3.destination.js';
import type { S3Roles } from '../../../src/data-sinks/destinations/s3/s3-roles.js';
import type { S3Config } from '../../../src/data-sinks/destinations/s3/s3-config.js';
import { parseRecipe } from '../../../src/data-sinks/domain/body/payload-recipe.js';
import type { ManifestEntry } from '../../../src/data-sinks/domain/attempt.js';
import { createNetworkPolicy } from '../../../src/data-sinks/domain/network-policy.js';
import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import type { PayloadBody } from '../../../src/data-sinks/payload/payload-bodies.js';
import { LOOPBACK_RANGES } from '../egress/push-client-fixture.js';

export function s3Destination(client: PushClient, roles?: S3Roles): S3Destination {
  const policy = createNetworkPolicy({ privateRanges: LOOPBACK_RANGES });
  return new S3Destination(client, policy, { allowedPorts: [443] }, roles);
}

export function s3Config(given: Partial<S3Config>): S3Config {
  return {
    bucket: 'acme-mapping-results',
    prefix: 'incoming',
    region: 'us-east-1',
    endpointUrl: null,
    roleArn: null,
    externalId: null,
    kmsKeyId: null,
    expectedBucketOwner: null,
    storageClass: null,
    compression: 'none',
    includeFields: null,
    maxRowsPerPush: null,
    ...given,
  };
}

export function pushTo(
  config: S3Config,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
  given: Partial<Push<S3Config>> = {},
): Push<S3Config> {
  return {
    deliveryId: 'dlv_1',
    workspaceId: 'ws_1',
    dataSourceId: 'ads_1',
    jobId: 'job_1',
    run: 1,
    config,
    recipe: parseRecipe('JSONL'),
    facts: {
      jobId: 'job_1',
      agentId: 'agt_1',
      workspaceId: 'ws_1',
      completedAt: new Date(0),
      stats: { total: 1, matched: 1, unmatched: 0 },
    },
    lastErrorCode: null,
    overlapping: false,
    secrets: async () => ({ current: JSON.stringify(keys), previous: null, nowMs: Date.now() }),
    ...given,
  };
}

/** A stored body: whole in memory, or read in chunks. */
export function bodyOf(bytes: Buffer, chunkBytes?: number): PayloadBody {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    payload: { bodyId: 'pld_1', sha256, bytes: bytes.length, rows: 1 },
    whole: chunkBytes === undefined ? bytes : null,
    watchedBy: null,
    async *open() {
      const size = chunkBytes ?? bytes.length;
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    },
  };
}

/** The record of one delivery's attempts, as the database keeps it. */
export class DeliveryRecord {
  readonly objects: ManifestEntry[] = [];
  leftover: Leftover | null = null;

  attempt(given: Partial<AttemptUnderway> = {}): AttemptUnderway {
    return {
      attemptNumber: 1,
      traceparent: null,
      earlierObjects: async () => this.objects,
      leaves: async (what) => void (this.leftover = what),
      leavesNothing: async () => void (this.leftover = null),
      ...given,
    };
  }

  async send(
    destination: S3Destination,
    push: Push<S3Config>,
    body: PayloadBody,
    given: Partial<AttemptUnderway> = {},
  ): Promise<SendReport> {
    const ready = await destination.prepare(push).ready(body);
    const report = await ready.send(this.attempt(given));
    this.objects.push(...(report.manifest ?? []));
    return report;
  }
}
