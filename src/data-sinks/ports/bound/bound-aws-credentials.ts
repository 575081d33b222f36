import { ConfigurationError, PortAnswerError } from '../../domain/errors.js';
import { describeType } from '../../domain/describe-type.js';
import type { AwsCredentials, AwsKeys } from '../aws-credentials.js';
import { callPort, isObject, isText, wrongAnswer } from './call-port.js';

const CALL = 'AwsCredentials.keys()';
const MUST = 'it must return { accessKeyId, secretAccessKey, sessionToken? }';

/** The host's credentials at AWS, with a time limit and a check of every answer, whose values no message repeats. */
export class BoundAwsCredentials implements AwsCredentials {
  readonly accountId: string;
  readonly principalArn?: string;

  /** @throws ConfigurationError when the account is none: its own roles could not be told from those of customers */
  constructor(
    private readonly host: AwsCredentials,
    private readonly limitMs: number,
  ) {
    const { accountId, principalArn } = host;
    if (typeof accountId !== 'string' || !/^\d{12}$/.test(accountId)) {
      throw new ConfigurationError('AwsCredentials.accountId must be the twelve digits of the account, as a text');
    }
    this.accountId = accountId;
    if (principalArn === undefined) return;
    if (typeof principalArn !== 'string' || !/^arn:aws[a-z-]*:(?:iam|sts)::\d{12}:[!-~]{1,1024}$/.test(principalArn)) {
      throw new ConfigurationError('AwsCredentials.principalArn must be the ARN of an account, a role or a user');
    }
    this.principalArn = principalArn;
  }

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async keys(): Promise<AwsKeys> {
    const answer = await callPort(CALL, this.limitMs, () => this.host.keys());
    if (!isObject(answer)) throw wrongAnswer(CALL, answer, MUST);
    const { accessKeyId, secretAccessKey, sessionToken = null } = answer;
    const parts = { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) };
    for (const [name, value] of Object.entries(parts)) {
      // What a header cannot carry would be an error of the signature's, far from its cause.
      if (isText(value) && /^[\x21-\x7e]+$/.test(value)) continue;
      throw new PortAnswerError(
        `${CALL} returned ${name} as ${isText(value) ? 'text that is not visible ASCII' : describeType(value)}; ${MUST}`,
      );
    }
    return parts as unknown as AwsKeys;
  }
}
