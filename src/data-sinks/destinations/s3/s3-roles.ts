import { createHash } from 'node:crypto';
import type { AwsCredentials } from '../../ports/aws-credentials.js';
import type { PushClient } from '../../egress/index.js';
import type { SinkRef } from '../destination.js';
import { arnPartition } from './aws-regions.js';
import type { ExternalIds } from './external-ids.js';
import { sessionPolicy, trustPolicyOf } from './iam-policy.js';
import type { RoleRules } from './role-rules.js';
import { RoleSessions, type RoleUse } from './role-sessions.js';
import type { S3Config } from './s3-config.js';
import { StsClient } from './sts-client.js';

/** AWS takes 2 to 64 of a few characters in a session's name. */
const PLAIN_ID = /^[\w+=,.@-]{1,32}$/;

/** What a host has that offers roles: credentials of its own at AWS, and an external id for each workspace. */
export class S3Roles {
  readonly sessions: RoleSessions;
  readonly rules: RoleRules;
  readonly #sts: StsClient;

  /** @param stsEndpointUrl in the place of AWS's services, without a slash at its end; null for those */
  constructor(
    client: Pick<PushClient, 'post'>,
    private readonly credentials: AwsCredentials,
    private readonly externalIds: Pick<ExternalIds, 'of'>,
    stsEndpointUrl: string | null,
  ) {
    this.#sts = new StsClient(client, stsEndpointUrl);
    this.sessions = new RoleSessions(this.#sts, credentials);
    this.rules = { accountId: credentials.accountId, anyStore: stsEndpointUrl !== null };
  }

  externalIdOf(workspaceId: string): Promise<string> {
    return this.externalIds.of(workspaceId);
  }

  stsUrl({ region }: S3Config): string {
    return this.#sts.urlOf(region);
  }

  trustPolicy({ region, externalId }: S3Config): string | null {
    const { accountId, principalArn = `arn:${arnPartition(region)}:iam::${accountId}:root` } = this.credentials;
    return externalId === null ? null : trustPolicyOf(principalArn, externalId);
  }

  /**
   * How a sink uses its role.
   * @param config of a sink with a role
   * @param deletable the key of the object that a Test deletes; null for everything else
   */
  useOf(config: S3Config, { workspaceId, dataSourceId }: SinkRef, deletable: string | null): RoleUse {
    const { roleArn, externalId, region } = config;
    if (roleArn === null || externalId === null) throw new Error(`data sink ${dataSourceId} has no role`);
    const sessionName = `${PLAIN_ID.test(workspaceId) ? workspaceId : hashed(workspaceId)}.${dataSourceId}`;
    return { workspaceId, roleArn, externalId, region, sessionName, policy: sessionPolicy(config, deletable) };
  }
}

function hashed(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}
