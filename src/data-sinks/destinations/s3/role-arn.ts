/** A role of IAM's, by its ARN. */
export interface RoleArn {
  readonly partition: string;
  /** Twelve digits. */
  readonly account: string;
}

export const ROLE_ARN_EXAMPLE = 'arn:aws:iam::123456789012:role/mapping-results';

/** @returns null for what is not the ARN of a role */
export function parseRoleArn(text: string): RoleArn | null {
  const [, partition, account] =
    /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role\/(?:[!-.0-~]+\/)*[\w+=,.@-]{1,64}$/.exec(text) ?? [];
  return partition === undefined || account === undefined ? null : { partition, account };
}
