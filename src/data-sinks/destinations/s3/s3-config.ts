import { FORMAT_DEFAULTS } from '../../domain/data-sink.js';
import { parseEndpointUrl } from '../../domain/endpoint-url.js';
import { ProblemError } from '../../domain/errors.js';
import { invalid } from '../../domain/invalid-request.js';
import { bodyFields } from '../../domain/job-completed.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import type { RuleViolation } from '../../domain/data-sink-rules.js';
import type { ConfigChange, Given } from '../destination.js';
import { folder, prefixProblem } from './object-key.js';
import { type RoleRules, roleViolations } from './role-rules.js';
import { addressOf } from './s3-address.js';
import type { S3Config } from './s3-settings.js';

export type { S3Config } from './s3-settings.js';

const NEW: Omit<S3Config, 'bucket' | 'region'> = {
  prefix: '',
  endpointUrl: null,
  roleArn: null,
  externalId: null,
  kmsKeyId: null,
  expectedBucketOwner: null,
  storageClass: null,
  compression: 'none',
  includeFields: null,
  maxRowsPerPush: null,
  maxPushesPerSecond: null,
  ...FORMAT_DEFAULTS,
};

/** As it was stored, by whatever version. */
export function storedConfig(config: S3Config): S3Config {
  return { ...NEW, ...config };
}

/** @throws ProblemError `validation-failed`, `secret-required` where a role would be used for another place unasked */
export function acceptS3Config(
  given: Given,
  before: S3Config | null,
  policy: NetworkPolicy,
  allowedPorts: readonly number[],
  roles: RoleRules | null = null,
): S3Config {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const asked = { ...NEW, ...before, ...set } as S3Config;
  const endpoint = acceptEndpoint(asked.endpointUrl, policy, allowedPorts);
  const config = {
    ...asked,
    endpointUrl: endpoint.url,
    includeFields: bodyFields(asked.includeFields),
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
  // A sink whose role is offered no more can still be renamed, switched off, or given keys.
  const isKept = roles === null && before !== null && before.roleArn === config.roleArn;
  const ofRole = isKept ? [] : roleViolations(config, roles);
  if (ofRole.length > 0) throw invalid(ofRole);
  if (before !== null && set['roleArn'] === undefined) requireRoleAgain(before, config);
  return config;
}

/** Anything that changes where objects go, or would let the keys be used for more than they were given for. */
export function compareS3Configs(given: S3Config, after: S3Config): ConfigChange {
  const before = storedConfig(given);
  const { moves, widens } = placeChanges(before, after);
  const isOtherRole = before.roleArn !== after.roleArn;
  // Of a role its name is what has to be sent again, which `acceptS3Config` sees to.
  const changed = after.roleArn === null ? [...widens, ...(isOtherRole ? ['roleArn'] : [])] : [];
  return {
    moves: moves || isOtherRole,
    needsSecretFor: changed.length > 0 ? `config.${changed.join(' and config.')}` : null,
    ...(isOtherRole && { replacesSecret: true }),
  };
}

/** A role has no secret that could be sent again for another place: its name has to be. */
function requireRoleAgain(before: S3Config, after: S3Config): void {
  const { widens } = placeChanges(storedConfig(before), after);
  if (after.roleArn === null || widens.length === 0) return;
  const what = `config.${widens.join(' and config.')}`;
  throw new ProblemError('secret-required', `Changing ${what} needs the role again. Send it as config.roleArn.`, {
    errors: [{ pointer: '/config/roleArn', detail: 'is required for this change' }],
  });
}

function placeChanges(before: S3Config, after: S3Config): { moves: boolean; widens: readonly string[] } {
  const place = (['endpointUrl', 'bucket', 'region'] as const).filter((field) => before[field] !== after[field]);
  const wider = !folder(after.prefix).startsWith(folder(before.prefix));
  const owner = before.expectedBucketOwner !== null && before.expectedBucketOwner !== after.expectedBucketOwner;
  return {
    moves: place.length > 0 || folder(before.prefix) !== folder(after.prefix),
    widens: [...place, ...(wider ? ['prefix'] : []), ...(owner ? ['expectedBucketOwner'] : [])],
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
