import { describe, expect, it } from '@jest/globals';
import { AwsCredentials } from '../../../src/data-sinks/s3.js';
import { awsCredentialsConformance } from '../../../src/data-sinks/testing/index.js';
import { credentialsOf } from '../../../src/reference-host/aws-environment.js';

const GIVEN = { accountId: '111122223333', accessKeyId: 'AKIA', secretAccessKey: 's3cr3t', sessionToken: 'token' };

describe('the host’s credentials keep what the module expects of AwsCredentials', () => {
  const checks = awsCredentialsConformance(() => ({ credentials: new (credentialsOf(GIVEN))() }));
  for (const { name, run } of checks) it(name, run);
});

describe('the conformance suite of AwsCredentials', () => {
  const right = { accountId: '111122223333', keys: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 's3cr3t' }) };
  it.each([
    ['another form of the account', { accountId: '1111-2222-3333' }, /twelve digits/],
    ['a principal of another account', { principalArn: 'arn:aws:iam::999988887777:root' }, /that account/],
    [
      'a key with a line break',
      { keys: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 's3cr3t\n' }) },
      /a header can carry/,
    ],
    [
      'keys that are given once',
      { keys: oncePerPromise({ accessKeyId: 'AKIA', secretAccessKey: 's3cr3t' }) },
      /again and again/,
    ],
  ])('catches %s', async (_what, wrong, check) => {
    const checks = awsCredentialsConformance(() => ({ credentials: { ...right, ...wrong } }));
    const results = await Promise.allSettled(checks.map(({ run }) => run()));
    const failed = checks.filter((_check, i) => results[i]?.status === 'rejected').map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining([expect.stringMatching(check)]));
  });
});

/** As of a file that is removed once it was read. */
function oncePerPromise<T>(value: T): () => Promise<T> {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked > 1) throw new Error('gone');
    return value;
  };
}

it('the module’s class of credentials can be extended by a host', () => {
  expect(new (credentialsOf(GIVEN))()).toBeInstanceOf(AwsCredentials);
});
