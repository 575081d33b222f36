/** A pair of keys of AWS's, with the token of its session where it has one. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials; null or absent for keys of a user. */
  readonly sessionToken?: string | null;
}

/**
 * The platform's own credentials at AWS, with which roles of its customers are assumed. Only for sinks of type `S3` with a
 * role (`s3({ credentials })`); they may need nothing but `sts:AssumeRole`.
 */
export abstract class AwsCredentials {
  /** The twelve digits of the account they belong to. Customers' roles trust it; roles of its own are refused. */
  abstract readonly accountId: string;

  /** Whom customers' roles should trust, as an ARN. @default the whole account, `arn:aws:iam::<accountId>:root` */
  readonly principalArn?: string;

  /**
   * Called before each session of a role begins, once or twice an hour for each sink. What it returns is not kept, so that
   * credentials that are renewed are taken over at once.
   * @throws when they cannot be had now: nothing is lost and no retry is used
   */
  abstract keys(): Promise<AwsKeys>;
}
