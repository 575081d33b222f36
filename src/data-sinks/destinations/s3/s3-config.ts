import type { SinkConfig } from '../../domain/data-sink.js';
import { parseEndpointUrl } from '../../domain/endpoint-url.js';
import { invalid } from '../../domain/invalid-request.js';
import { ROW_FIELDS } from '../../domain/job-completed.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import type { RuleViolation } from '../../domain/data-sink-rules.js';
import type { ConfigChange, Given } from '../destination.js';
import { folder, prefixProblem } from './object-key.js';
import { addressOf } from './s3-address.js';

export const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
] as const;
export type StorageClass = (typeof STORAGE_CLASSES)[number];

/** Where objects are written, and how. */
export interface S3Config extends SinkConfig {
  readonly bucket: string;
  /** Without a slash at its start; empty for the bucket's root. */
  readonly prefix: string;
  readonly region: string;
  /** Of a store that is not AWS, in the parser's form, without a slash at its end; null for AWS. */
  readonly endpointUrl: string | null;
  /** The key of AWS KMS that objects are encrypted with; null for the bucket's own way. */
  readonly kmsKeyId: string | null;
  /** The twelve digits of the account that must own the bucket; null for any. */
  readonly expectedBucketOwner: string | null;
  /** Null for the bucket's default. */
  readonly storageClass: StorageClass | null;
}

const NEW: Omit<S3Config, 'bucket' | 'region'> = {
  prefix: '',
  endpointUrl: null,
  kmsKeyId: null,
  expectedBucketOwner: null,
  storageClass: null,
  compression: 'none',
  includeFields: null,
  maxRowsPerPush: null,
  maxPushesPerSecond: null,
};

/** @throws ProblemError `validation-failed` */
export function acceptS3Config(
  given: Given,
  before: S3Config | null,
  policy: NetworkPolicy,
  allowedPorts: readonly number[],
): S3Config {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const asked = { ...NEW, ...before, ...set } as S3Config;
  const endpoint = acceptEndpoint(asked.endpointUrl, policy, allowedPorts);
  const config = {
    ...asked,
    endpointUrl: endpoint.url,
    includeFields:
      asked.includeFields && ROW_FIELDS.filter((it) => it === 'partnerRowId' || asked.includeFields?.includes(it)),
  };
  const violations = [
    ...at('/config/bucket', bucketProblem(config.bucket)),
    ...at('/config/prefix', prefixProblem(config.prefix)),
    ...at('/config/region', regionProblem(config.region)),
    ...at('/config/endpointUrl', endpoint.problem),
  ];
  if (violations.length > 0) throw invalid(violations);
  const address = parseEndpointUrl(addressOf(config), policy, { allowedPorts });
  if (!address.ok) throw invalid(at('/config/endpointUrl', address.detail));
  return config;
}

/** Anything that changes where objects go, or would let the keys be used for more than they were given for. */
export function compareS3Configs(before: S3Config, after: S3Config): ConfigChange {
  const place = (['endpointUrl', 'bucket', 'region'] as const).filter((field) => before[field] !== after[field]);
  const wider = !folder(after.prefix).startsWith(folder(before.prefix));
  const owner = before.expectedBucketOwner !== null && before.expectedBucketOwner !== after.expectedBucketOwner;
  const changed = [...place, ...(wider ? ['prefix'] : []), ...(owner ? ['expectedBucketOwner'] : [])];
  return {
    moves: place.length > 0 || folder(before.prefix) !== folder(after.prefix),
    needsSecretFor: changed.length > 0 ? `config.${changed.join(' and config.')}` : null,
  };
}

/** What no two sinks of a workspace may share. */
export function locationOf({ endpointUrl, region, bucket, prefix }: S3Config): string {
  // At AWS a bucket's name is one for all regions of a partition.
  const place = endpointUrl ?? (region.startsWith('cn-') ? 'aws-cn' : 'aws');
  return `${place}/${bucket}/${folder(prefix)}`;
}

function acceptEndpoint(
  text: string | null,
  policy: NetworkPolicy,
  allowedPorts: readonly number[],
): { readonly url: string | null; readonly problem: string | null } {
  if (text === null) return { url: null, problem: null };
  const parsed = parseEndpointUrl(text, policy, { allowedPorts });
  if (!parsed.ok) return { url: text, problem: parsed.detail };
  const { origin, target } = parsed.url;
  if (target !== '/')
    return { url: text, problem: 'must have neither a path nor a query; the bucket goes into config.bucket' };
  return { url: origin, problem: null };
}

/** The rules of AWS for names of general purpose buckets, which other stores share. */
function bucketProblem(name: string): string | null {
  const fits = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (fits && !isAddress && !/\.\.|\.-|-\./.test(name) && !/^xn--|^sthree-|-s3alias$|--ol-s3$|--x-s3$/.test(name))
    return null;
  return 'must be a bucket’s name: 3 to 63 lower-case letters, digits, dots and hyphens, and no address';
}

function regionProblem(region: string): string | null {
  return /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(region) ? null : 'must be a region such as eu-west-1, or auto';
}

function at(pointer: string, detail: string | null): RuleViolation[] {
  return detail === null ? [] : [{ pointer, detail }];
}
