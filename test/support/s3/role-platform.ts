import { s3 } from '../../../src/data-sinks/s3.js';
import { AwsCredentials, type AwsKeys } from '../../../src/data-sinks/s3.js';
import type { Type } from '@nestjs/common';
import type { Destination } from '../../../src/data-sinks/index.js';

export const OWN_ACCOUNT = '111122223333';
export const PLATFORM_KEYS = {
  accessKeyId: 'AKIAPLATFORM00000001',
  secretAccessKey: 'platform-secret-access-key',
  sessionToken: 'platform-session-token',
} as const;

export const ROLE = 'arn:aws:iam::999988887777:role/lake/mapping-results';
export const OTHER_ROLE = 'arn:aws:iam::999988887777:role/lake/mapping-results-2';

/** The platform's credentials, as a host's class gives them. */
export class PlatformCredentials extends AwsCredentials {
  readonly accountId = OWN_ACCOUNT;

  async keys(): Promise<AwsKeys> {
    return PLATFORM_KEYS;
  }
}

/** Sinks of type S3 that may have a role, of a service for sessions at this address. */
export function s3WithRoles(stsEndpointUrl: string): Type<Destination> {
  return s3({ credentials: PlatformCredentials, stsEndpointUrl });
}
