import { describe, expect, it } from '@jest/globals';
import {
  MAX_SESSION_POLICY_CHARACTERS,
  sessionPolicy,
  smallestPolicy,
} from '../../../../../src/data-sinks/destinations/s3/iam-policy.js';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: unknown;
}

const PLACE = { bucket: 'acme-mapping-results', prefix: 'incoming', region: 'eu-west-1', kmsKeyId: null };
const statements = (given: object, deletable: string | null = null): readonly Statement[] =>
  (JSON.parse(sessionPolicy({ ...PLACE, ...given }, deletable)) as { Statement: Statement[] }).Statement;

describe('the policy of a session', () => {
  it('allows what an attempt asks for, below the prefix, and no deletion', () => {
    expect(statements({})).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:GetObject'],
        Resource: 'arn:aws:s3:::acme-mapping-results/incoming/*',
      },
      {
        Effect: 'Allow',
        Action: 's3:ListBucketMultipartUploads',
        Resource: 'arn:aws:s3:::acme-mapping-results',
      },
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
      },
    ]);
  });

  it('of a Test allows the deletion of its own object, and of no other', () => {
    const deletions = statements({}, 'incoming/_test-ads_1.json').filter(({ Action }) => Action === 's3:DeleteObject');
    expect(deletions.map(({ Resource }) => Resource)).toEqual([
      'arn:aws:s3:::acme-mapping-results/incoming/_test-ads_1.json',
    ]);
  });

  it('names the key of KMS where the sink does, and the partition of the region', () => {
    const kmsKeyId = 'arn:aws-cn:kms:cn-north-1:999988887777:key/k';
    const found = statements({ kmsKeyId, region: 'cn-north-1' });
    expect(found.map(({ Resource }) => Resource)).toEqual([
      'arn:aws-cn:s3:::acme-mapping-results/incoming/*',
      'arn:aws-cn:s3:::acme-mapping-results',
      kmsKeyId,
    ]);
  });

  it.each([
    ['a*b', 'a${*}b/*'],
    ['a?', 'a${?}/*'],
    ['${aws:userid}', '${$}{aws:userid}/*'],
    ['', '*'],
  ])('means the prefix %j as it is, and no other that a policy could read into it', (prefix, resource) => {
    expect(statements({ prefix })[0]?.Resource).toBe(`arn:aws:s3:::acme-mapping-results/${resource}`);
    expect(smallestPolicy({ ...PLACE, prefix })).toContain(`:::acme-mapping-results/${resource}"`);
  });

  it('is written in characters that STS takes, and says the same', () => {
    const prefix = 'données/客户/😀';
    const text = sessionPolicy({ ...PLACE, prefix }, null);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(statements({ prefix })[0]?.Resource).toBe(`arn:aws:s3:::acme-mapping-results/${prefix}/*`);
  });

  it('fits for the longest plain prefix and bucket, also in a Test with a key of KMS', () => {
    const prefix = 'x'.repeat(512);
    const kmsKeyId = `arn:aws:kms:ap-southeast-1:999988887777:key/${'0'.repeat(36)}`;
    const place = { bucket: 'b'.repeat(63), prefix, region: 'ap-southeast-1', kmsKeyId };
    const text = sessionPolicy(place, `${prefix}/_test-ads_${'0'.repeat(26)}.json`);
    expect(text.length).toBeLessThanOrEqual(MAX_SESSION_POLICY_CHARACTERS);
  });
});
