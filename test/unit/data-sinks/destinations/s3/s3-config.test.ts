import { describe, expect, it } from '@jest/globals';
import {
  acceptS3Config,
  compareS3Configs,
  locationOf,
  type S3Config,
} from '../../../../../src/data-sinks/destinations/s3/s3-config.js';
import { addressOf } from '../../../../../src/data-sinks/destinations/s3/s3-address.js';
import { smallestPolicy } from '../../../../../src/data-sinks/destinations/s3/iam-policy.js';
import { createNetworkPolicy } from '../../../../../src/data-sinks/domain/network-policy.js';
import type { ProblemError } from '../../../../../src/data-sinks/domain/errors.js';

const policy = createNetworkPolicy({ privateRanges: [] });
const GIVEN = { bucket: 'acme-mapping-results', region: 'eu-west-1' };
const accept = (given: object, before: S3Config | null = null): S3Config =>
  acceptS3Config({ ...(before ? {} : GIVEN), ...given }, before, policy, [443]);

function pointers(given: object): string[] {
  try {
    accept(given);
    return [];
  } catch (error) {
    return ((error as ProblemError).extras.errors ?? []).map(({ pointer }) => pointer);
  }
}

describe('the configuration of an S3 sink', () => {
  it.each([
    ...[
      'ab',
      'x'.repeat(64),
      'Acme',
      'a_b',
      'a..b',
      'a.-b',
      '-ab',
      'ab-',
      '.ab',
      '192.168.0.1',
      'a/b',
      'a b',
      'xn--abc',
    ],
    ...['acme-s3alias', 'sthree-x', 'acme--x-s3', 'a%2eb', 'a@b', 'a:b', 'a?b', 'a#b', 'é-bucket', 'abc\u0000'],
  ])('refuses the bucket %j', (bucket) => {
    expect(pointers({ bucket })).toContain('/config/bucket');
  });

  it.each(['abc', 'x'.repeat(63), 'a.b.c', '1-2', 'my.bucket-1', '192.168.0.1a'])('takes the bucket %j', (bucket) => {
    expect(accept({ bucket }).bucket).toBe(bucket);
  });

  it.each(['', 'EU-WEST-1', 'eu_west', 'a/b', 'a.b', '-a', 'a-', 'x'.repeat(40), 'eu-west-1.evil.com', 'a@b'])(
    'refuses the region %j, which is a part of a host name',
    (region) => {
      expect(pointers({ region })).toContain('/config/region');
    },
  );

  it.each([
    ...[
      'http://store.example.com',
      'https://10.0.0.1',
      'https://127.0.0.1',
      'https://[::1]',
      'https://169.254.169.254',
    ],
    ...['https://0x7f.1', 'https://localhost', 'https://minio', 'https://a.internal', 'https://user:pw@store.com'],
    ...[
      'https://store.com/path',
      'https://store.com?x=1',
      'https://store.com#x',
      'https://store.com:9000',
      'ftp://store.com',
    ],
    ...['https://[::ffff:10.0.0.1]', 'https://100.64.0.1', 'https://２１６.58.214.1#', 'not a url', ''],
  ])('refuses the endpoint %j', (endpointUrl) => {
    expect(pointers({ endpointUrl })).toEqual(['/config/endpointUrl']);
  });

  it.each([
    ['https://account.r2.cloudflarestorage.com', 'https://account.r2.cloudflarestorage.com'],
    ['https://S3.Example.COM/', 'https://s3.example.com'],
    ['https://s3.example.com.:443', 'https://s3.example.com'],
    ['https://11.0.0.1', 'https://11.0.0.1'],
  ])('takes the endpoint %j as %j', (given, stored) => {
    expect(accept({ endpointUrl: given }).endpointUrl).toBe(stored);
  });

  it('changes what is given and keeps the rest; null takes back', () => {
    const before = accept({ prefix: 'a/', kmsKeyId: 'alias/x', storageClass: 'STANDARD_IA' });
    expect(accept({ prefix: 'b/', kmsKeyId: null }, before)).toEqual({ ...before, prefix: 'b/', kmsKeyId: null });
  });

  it('is of the bucket’s own host at AWS, unless its name has a dot, and of a path at an endpoint', () => {
    expect(addressOf(accept({}))).toBe('https://acme-mapping-results.s3.eu-west-1.amazonaws.com');
    expect(addressOf(accept({ bucket: 'a.b.c' }))).toBe('https://s3.eu-west-1.amazonaws.com/a.b.c');
    expect(addressOf(accept({ region: 'cn-north-1' }))).toBe(
      'https://acme-mapping-results.s3.cn-north-1.amazonaws.com.cn',
    );
    expect(addressOf(accept({ endpointUrl: 'https://s3.example.com' }))).toBe(
      'https://s3.example.com/acme-mapping-results',
    );
  });
});

describe('a change of an S3 sink', () => {
  const before = accept({ prefix: 'a/b/', expectedBucketOwner: '123456789012' });
  it.each([
    [{ endpointUrl: 'https://s3.example.com' }, true, 'config.endpointUrl'],
    [{ bucket: 'another-bucket' }, true, 'config.bucket'],
    [{ region: 'us-east-1' }, true, 'config.region'],
    [{ prefix: 'a/' }, true, 'config.prefix'],
    [{ prefix: 'a/b' }, false, null],
    [{ prefix: 'a/bc' }, true, 'config.prefix'],
    [{ prefix: 'other/' }, true, 'config.prefix'],
    [{ prefix: 'a/b/c/' }, true, null],
    [{ expectedBucketOwner: null }, false, 'config.expectedBucketOwner'],
    [{ compression: 'gzip', storageClass: 'STANDARD_IA', kmsKeyId: 'alias/x' }, false, null],
  ] as const)('to %j moves it: %j, and needs the keys for %j', (change, moves, needsSecretFor) => {
    expect(compareS3Configs(before, accept(change, before))).toEqual({ moves, needsSecretFor });
  });

  it('has the location of its bucket and prefix, one slash or none behind it', () => {
    expect(locationOf(accept({ prefix: 'a' }))).toBe(locationOf(accept({ prefix: 'a/' })));
    expect(locationOf(accept({ region: 'us-east-1' }))).toBe(locationOf(accept({})));
    expect(locationOf(accept({ prefix: 'a' }))).not.toBe(locationOf(accept({ prefix: 'b' })));
  });
});

it.each([
  [{ prefix: 'in' }, 'arn:aws:s3:::acme-mapping-results/in/*'],
  [{ prefix: '' }, 'arn:aws:s3:::acme-mapping-results/*'],
  [{ region: 'cn-north-1' }, 'arn:aws-cn:s3:::acme-mapping-results/*'],
  [{ region: 'us-gov-west-1' }, 'arn:aws-us-gov:s3:::acme-mapping-results/*'],
])('the smallest policy of %j allows PutObject on %s alone', (given, resource) => {
  const { Statement } = JSON.parse(smallestPolicy(accept(given))) as { Statement: unknown };
  expect(Statement).toEqual([{ Effect: 'Allow', Action: 's3:PutObject', Resource: resource }]);
});
