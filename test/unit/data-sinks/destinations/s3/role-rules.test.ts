import { describe, expect, it } from '@jest/globals';
import {
  acceptS3Config,
  compareS3Configs,
  type S3Config,
} from '../../../../../src/data-sinks/destinations/s3/s3-config.js';
import type { ProblemError } from '../../../../../src/data-sinks/domain/errors.js';
import { createNetworkPolicy } from '../../../../../src/data-sinks/domain/network-policy.js';

const ROLE = 'arn:aws:iam::999988887777:role/mapping-results';
const OTHER = 'arn:aws:iam::999988887777:role/other';
const GIVEN = { bucket: 'acme-mapping-results', region: 'eu-west-1' };
const policy = createNetworkPolicy({ privateRanges: [] });
const AWS = { accountId: '111122223333', anyStore: false };

const accept = (given: object, before: S3Config | null = null, roles: typeof AWS | null = AWS): S3Config =>
  acceptS3Config({ ...(before ? {} : GIVEN), ...given }, before, policy, [443], roles);

function problemOf(run: () => unknown): { code: string; pointers: readonly string[] } | null {
  try {
    run();
    return null;
  } catch (error) {
    const { code, extras } = error as ProblemError;
    return { code, pointers: (extras.errors ?? []).map(({ pointer }) => pointer) };
  }
}

describe('the role of an S3 sink', () => {
  it.each([
    ROLE,
    'arn:aws:iam::999988887777:role/a/path/of/names/role',
    'arn:aws:iam::999988887777:role/service-role/R_1+=,.@-',
  ])('may be %s', (roleArn) => {
    expect(accept({ roleArn })).toMatchObject({ roleArn, externalId: null });
  });

  it.each([
    '',
    'mapping-results',
    'arn:aws:iam::999988887777:user/u',
    'arn:aws:iam::999988887777:root',
    'arn:aws:iam::99998888777:role/r',
    'arn:aws:iam::9999888877777:role/r',
    'arn:aws:iam:eu-west-1:999988887777:role/r',
    'arn:aws:sts::999988887777:assumed-role/r/s',
    'arn:evil:iam::999988887777:role/r',
    'arn:aws:iam::999988887777:role/',
    'arn:aws:iam::999988887777:role//r',
    'arn:aws:iam::999988887777:role/r?Action=x',
    'arn:aws:iam::999988887777:role/rôle',
    ` ${ROLE}`,
    `${ROLE}\n`,
    `arn:aws:iam::999988887777:role/${'r'.repeat(65)}`,
  ])('cannot be %j', (roleArn) => {
    expect(problemOf(() => accept({ roleArn }))).toEqual({ code: 'validation-failed', pointers: ['/config/roleArn'] });
  });

  it.each(['eu-west-9', 'auto', 'localhost', 'us-east-1x', 'x'])('is not asked for in the region %s', (region) => {
    expect(problemOf(() => accept({ roleArn: ROLE, region }))?.pointers).toEqual(['/config/region']);
  });

  it('is of the partition of its region', () => {
    const chinese = 'arn:aws-cn:iam::999988887777:role/r';
    expect(problemOf(() => accept({ roleArn: chinese }))?.pointers).toEqual(['/config/region']);
    expect(accept({ roleArn: chinese, region: 'cn-north-1' }).roleArn).toBe(chinese);
  });

  it.each([
    ['https://store.example.com', false],
    ['https://abc.execute-api.eu-west-1.amazonaws.com', false],
    ['https://ec2-1-2-3-4.eu-west-1.compute.amazonaws.com', false],
    ['https://s3.eu-west-1.amazonaws.com.evil.com', false],
    ['https://s3.dualstack.eu-west-1.amazonaws.com', true],
    ['https://s3-fips.us-east-1.amazonaws.com', true],
  ])('has its sessions sent to %s: %p', (endpointUrl, isTaken) => {
    const found = problemOf(() => accept({ roleArn: ROLE, endpointUrl }))?.pointers ?? [];
    expect(found).toEqual(isTaken ? [] : ['/config/endpointUrl']);
    expect(accept({ roleArn: ROLE, endpointUrl }, null, { ...AWS, anyStore: true }).roleArn).toBe(ROLE);
  });

  it('is refused where the host offers none, and stays where it was offered before', () => {
    expect(problemOf(() => accept({ roleArn: ROLE }, null, null))?.pointers).toEqual(['/config/roleArn']);
    const before = accept({ roleArn: ROLE });
    expect(accept({ compression: 'gzip' }, before, null)).toMatchObject({ roleArn: ROLE, compression: 'gzip' });
    expect(problemOf(() => accept({ roleArn: OTHER }, before, null))?.pointers).toEqual(['/config/roleArn']);
    expect(accept({ roleArn: null }, before, null).roleArn).toBeNull();
  });
});

describe('a change of an S3 sink with a role', () => {
  const before = accept({ roleArn: ROLE, prefix: 'deep/er', expectedBucketOwner: '999988887777' });
  const compared = (given: object) => compareS3Configs(before, accept(given, before));

  it.each([
    { bucket: 'another-bucket' },
    { region: 'eu-north-1' },
    { endpointUrl: 'https://s3.dualstack.eu-west-1.amazonaws.com' },
    { prefix: 'deep' },
    { expectedBucketOwner: null },
  ])('to %j needs the role in the same request', (given) => {
    expect(problemOf(() => accept(given, before))).toEqual({ code: 'secret-required', pointers: ['/config/roleArn'] });
    expect(compared({ ...given, roleArn: ROLE })).toMatchObject({ needsSecretFor: null });
  });

  it('to another role is a move and replaces what the vault keeps; to keys it needs them', () => {
    expect(compared({ roleArn: OTHER })).toEqual({ moves: true, needsSecretFor: null, replacesSecret: true });
    expect(compared({ roleArn: null })).toEqual({
      ...{ moves: true, needsSecretFor: 'config.roleArn', replacesSecret: true },
    });
    expect(compared({ prefix: 'deep/er/still' })).toEqual({ moves: true, needsSecretFor: null });
    expect(compared({})).toEqual({ moves: false, needsSecretFor: null });
  });

  it('from keys to a role replaces them, also in a sink of an older version', () => {
    const { roleArn: _role, externalId: _id, ...older } = accept({});
    const after = accept({ roleArn: ROLE }, older as S3Config);
    expect(compareS3Configs(older as S3Config, after)).toEqual({
      ...{ moves: true, needsSecretFor: null, replacesSecret: true },
    });
  });
});
