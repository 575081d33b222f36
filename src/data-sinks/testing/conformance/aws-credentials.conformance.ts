import assert from 'node:assert/strict';
import type { AwsCredentials } from '../../ports/aws-credentials.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface AwsCredentialsFixture {
  readonly credentials: AwsCredentials;
}

/** Conformance checks for a host's `AwsCredentials`. They ask AWS nothing. */
export function awsCredentialsConformance(makeFixture: Make<AwsCredentialsFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'names the platform’s account by its twelve digits': async ({ credentials }) => {
      assert.match(credentials.accountId, /^\d{12}$/);
    },
    'names whom to trust by an ARN of that account, where it does': async ({ credentials }) => {
      const { accountId, principalArn } = credentials;
      if (principalArn === undefined) return;
      assert.match(principalArn, /^arn:aws[a-z-]*:(iam|sts)::\d{12}:[!-~]+$/);
      assert.equal(principalArn.split(':')[4], accountId);
    },
    'gives keys that a header can carry': async ({ credentials }) => {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentials.keys();
      for (const value of [accessKeyId, secretAccessKey, sessionToken ?? 'none']) assert.match(value, /^[\x21-\x7e]+$/);
    },
    'gives keys again and again, also to several that ask at once': async ({ credentials }) => {
      const given = await Promise.all(Array.from({ length: 4 }, () => credentials.keys()));
      for (const { accessKeyId } of [...given, await credentials.keys()]) assert.ok(accessKeyId.length > 0);
    },
  });
}
