import { type Agent, expectStatus, Sink } from '../platform/customer.js';
import type { Bucket } from './store.js';

type Place = Pick<Bucket, 'name' | 'endpointUrl' | 'keys'>;

/** A request body that creates a sink below a prefix of a bucket; tests change what they need. */
export function s3SinkBody(
  { name, endpointUrl, keys }: Place,
  prefix: string,
  given: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { config, ...more } = given;
  return {
    ...{ role: 'RESULTS_SINK', type: 'S3', name: 'Lake', format: 'JSONL', secret: keys },
    config: { bucket: name, prefix, region: 'us-east-1', endpointUrl, ...(config as object) },
    ...more,
  };
}

/** A sink below a prefix of a bucket; its secret key must never appear again. */
export async function s3Sink(
  agent: Agent,
  bucket: Place,
  prefix: string,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Sink> {
  const body = s3SinkBody(bucket, prefix, given);
  const { id } = expectStatus(await agent.api.post(`${agent.path}/data-sources`, body), 201);
  const { secretAccessKey } = bucket.keys;
  agent.customer.platform.keepSecret(secretAccessKey);
  return new Sink(agent, id as string, secretAccessKey);
}
