import type { Type } from '@nestjs/common';
import { AwsCredentials, type AwsKeys } from '../data-sinks/s3.js';

/** The platform's own credentials at AWS, for sinks that write with a role. */
export interface AwsEnvironment extends AwsKeys {
  /** Twelve digits. */
  readonly accountId: string;
}

export const AWS_NAMES = ['AWS_ACCOUNT_ID', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

/**
 * Without `AWS_ACCOUNT_ID` there are no roles, whatever else of AWS's a machine has in its environment.
 * @param report takes a problem, which contains no value of a secret
 */
export function readAws(
  variables: Readonly<Record<string, string | undefined>>,
  report: (problem: string) => void,
): AwsEnvironment | null {
  const [accountId, accessKeyId, secretAccessKey, sessionToken] = AWS_NAMES.map((name) => variables[name]?.trim());
  if (!accountId) return null;
  if (!/^\d{12}$/.test(accountId)) report('AWS_ACCOUNT_ID is not twelve digits; set the account of the credentials');
  if (!accessKeyId || !secretAccessKey) {
    report('AWS_ACCOUNT_ID needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY beside it; set both, or unset it');
    return null;
  }
  return { accountId, accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** As the module asks for them. A platform on AWS would ask its container or its instance here. */
export function credentialsOf({ accountId, ...keys }: AwsEnvironment): Type<AwsCredentials> {
  return class EnvironmentCredentials extends AwsCredentials {
    readonly accountId = accountId;

    async keys(): Promise<AwsKeys> {
      return keys;
    }
  };
}
