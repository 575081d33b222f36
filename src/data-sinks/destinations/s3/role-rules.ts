import type { RuleViolation } from '../../domain/data-sink-rules.js';
import { partitionOf } from './aws-regions.js';
import { MAX_SESSION_POLICY_CHARACTERS, sessionPolicy } from './iam-policy.js';
import { probeKey } from './object-key.js';
import { parseRoleArn, ROLE_ARN_EXAMPLE } from './role-arn.js';
import type { S3Config } from './s3-settings.js';

/** What a host that offers roles has to say about them. */
export interface RoleRules {
  /** The platform's own account. */
  readonly accountId: string;
  /** Whether sessions are from a service of the host's choice, and so may be good for stores that are not AWS. */
  readonly anyStore: boolean;
}

/** As long as those of sinks. */
const ANY_SINK = `ads_${'0'.repeat(26)}`;

/** What is wrong with a sink's role, where it has one. @param rules null where the host offers none */
export function roleViolations(config: S3Config, rules: RoleRules | null): RuleViolation[] {
  const { roleArn, region, endpointUrl } = config;
  if (roleArn === null) return [];
  const violation = (field: keyof S3Config, detail: string): RuleViolation => ({ pointer: `/config/${field}`, detail });
  if (rules === null)
    return [violation('roleArn', 'is not offered here: leave it out, and send accessKeyId and secretAccessKey')];
  const role = parseRoleArn(roleArn);
  if (!role) return [violation('roleArn', `must be the ARN of a role, such as ${ROLE_ARN_EXAMPLE}`)];
  const found: RuleViolation[] = [];
  if (role.account === rules.accountId) found.push(violation('roleArn', 'must be a role of your own account'));
  const partition = partitionOf(region);
  if (partition === null) found.push(violation('region', 'must be a region of AWS for a role, such as eu-west-1'));
  else if (partition !== role.partition)
    found.push(violation('region', `must be in the partition of the role, ${role.partition}`));
  // A session is a secret of AWS's: another store is not told of it.
  if (endpointUrl !== null && !rules.anyStore && !isOfAws(endpointUrl))
    found.push(violation('endpointUrl', 'must be a host of AWS, or null, for a role'));
  if (sessionPolicy(config, probeKey(config.prefix, ANY_SINK)).length > MAX_SESSION_POLICY_CHARACTERS)
    found.push(violation('prefix', 'is too long for a role: AWS takes a policy of 2,048 characters that names it'));
  return found;
}

/** Of S3 alone: under other names of AWS's stands what its customers put there. */
function isOfAws(url: string): boolean {
  return /^s3(?:-fips)?(?:\.dualstack)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(new URL(url).hostname);
}
