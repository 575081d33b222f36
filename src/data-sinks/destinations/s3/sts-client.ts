import { type AttemptOutcome, classify, outcome, type Verdict } from '../../domain/attempt-outcome.js';
import type { AttemptErrorCode } from '../../domain/attempt.js';
import type { PushClient, PushExchange } from '../../egress/index.js';
import type { AwsKeys } from '../../ports/aws-credentials.js';
import { domainOf } from './aws-regions.js';
import { signedHeaders } from './aws-signature.js';
import { element, readAnswer } from './s3-answer.js';

/** A session of a role. */
export interface Session {
  readonly keys: AwsKeys;
  /** By AWS's clock, in milliseconds since 1970. */
  readonly endsAtMs: number;
}

/** What is asked for. */
export interface SessionRequest {
  readonly roleArn: string;
  /** Null asks without one, which a role must refuse. */
  readonly externalId: string | null;
  /** One of the closed list. */
  readonly region: string;
  /** Of opaque ids: it is in the logs of the role's owner. */
  readonly sessionName: string;
  /** Beside what the role itself may. */
  readonly policy: string;
}

/** Why there is no session. The exchange is cut to what may be shown: an answer of STS's may hold a session in clear. */
export interface RoleFailure {
  readonly outcome: AttemptOutcome;
  readonly exchange: PushExchange;
}

export type SessionAnswer =
  | { readonly kind: 'session'; readonly session: Session; readonly exchange: PushExchange }
  | ({ readonly kind: 'refused' } & RoleFailure);

type Rule = readonly [errorCode: AttemptErrorCode, verdict: Verdict];

const OURS: Rule = ['role_credentials_refused', 'RETRY_FREE'];
const REFUSED: Rule = ['role_session_refused', 'FINAL'];
const THROTTLED: Rule = ['role_throttled', 'RETRY_FREE'];
const UNAVAILABLE: Rule = ['role_service_unavailable', 'RETRY_FREE'];

/** By the code of the error. What is not here: 4xx is `role_session_refused`, 429 and 5xx are ours. */
export const STS_ERRORS: Readonly<Record<string, Rule>> = {
  AccessDenied: ['role_denied', 'FINAL'],
  AccessDeniedException: ['role_denied', 'FINAL'],
  MalformedPolicyDocument: REFUSED,
  PackedPolicyTooLarge: REFUSED,
  ValidationError: REFUSED,
  RegionDisabledException: ['role_region_disabled', 'FINAL'],
  // The request was signed with credentials of the platform's, not of the customer's.
  ExpiredToken: OURS,
  ExpiredTokenException: OURS,
  InvalidClientTokenId: OURS,
  UnrecognizedClientException: OURS,
  InvalidAccessKeyId: OURS,
  InvalidToken: OURS,
  SignatureDoesNotMatch: OURS,
  IncompleteSignature: OURS,
  MissingAuthenticationToken: OURS,
  OptInRequired: OURS,
  NotAuthorized: OURS,
  RequestExpired: ['clock_skewed', 'RETRY_FREE'],
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  TooManyRequestsException: THROTTLED,
  InternalFailure: UNAVAILABLE,
  InternalError: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
};

/** What a role gives at least, and one that is renewed in time needs no more. */
const SESSION_SECONDS = 3_600;
/** AWS names no longest one and advises against expecting one; an answer of 16 KB is read. */
const MAX_TOKEN_CHARACTERS = 8_192;

/** Asks AWS's Security Token Service for sessions of roles, with the guarded client. */
export class StsClient {
  /** @param endpointUrl of another service with the same interface; null for AWS's of the region */
  constructor(
    private readonly client: Pick<PushClient, 'post'>,
    private readonly endpointUrl: string | null,
  ) {}

  urlOf(region: string): string {
    return `${this.endpointUrl ?? `https://sts.${region}.${domainOf(region)}`}/`;
  }

  async assume(request: SessionRequest, keys: AwsKeys, nowMs: number): Promise<SessionAnswer> {
    const url = this.urlOf(request.region);
    const body = formOf(request);
    const bytes = Buffer.from(body);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const exchange = await this.client.post({
      ...{ method: 'POST', url, customHeaders: [] },
      body: {
        bytes: bytes.length,
        whole: bytes,
        open: async function* () {
          yield bytes;
        },
      },
      headers: await signedHeaders({
        ...{ method: 'POST', url, service: 'sts', region: request.region, keys, nowMs, headers, body },
      }),
    });
    const session = sessionIn(exchange, nowMs);
    const shown = withoutSession(exchange);
    return session
      ? { kind: 'session', session, exchange: shown }
      : { kind: 'refused', outcome: stsOutcome(exchange), exchange: shown };
  }
}

function formOf({ roleArn, externalId, sessionName, policy }: SessionRequest): string {
  return new URLSearchParams({
    ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: roleArn, RoleSessionName: sessionName },
    ...(externalId !== null && { ExternalId: externalId }),
    ...{ DurationSeconds: String(SESSION_SECONDS), Policy: policy },
  }).toString();
}

/** @returns null unless all of it is there, in a form that a header can carry, and it has not ended yet */
function sessionIn({ answer }: PushExchange, nowMs: number): Session | null {
  if (answer?.httpStatus !== 200 || answer.ending !== 'complete') return null;
  const text = (name: string, most?: number): string | null => {
    const found = element(answer.excerpt, name, most);
    return found !== null && /^[\x21-\x25\x27-\x7e]+$/.test(found) ? found : null;
  };
  const accessKeyId = text('AccessKeyId');
  const secretAccessKey = text('SecretAccessKey');
  const sessionToken = text('SessionToken', MAX_TOKEN_CHARACTERS);
  const endsAtMs = Date.parse(text('Expiration') ?? '');
  if (accessKeyId === null || secretAccessKey === null || sessionToken === null || !(endsAtMs > nowMs)) return null;
  return { keys: { accessKeyId, secretAccessKey, sessionToken }, endsAtMs };
}

/** What an exchange that gave no session means. Who does not speak as STS does, a proxy perhaps, says nothing of the role. */
export function stsOutcome(exchange: PushExchange): AttemptOutcome {
  const general = classify(exchange.result);
  const answer = readAnswer(exchange);
  if (!answer) return outcome(general.status, ...UNAVAILABLE, null);
  const { httpStatus, code } = answer;
  // A success that is none has the class of a failure of the service's.
  const status = httpStatus < 300 ? 'HTTP_5XX' : general.status;
  const retryAfterMs = exchange.result.kind === 'answered' ? exchange.result.retryAfterMs : null;
  const [errorCode, verdict] = ruleOf(httpStatus, code);
  return outcome(status, errorCode, verdict, verdict === 'FINAL' ? null : retryAfterMs);
}

function ruleOf(httpStatus: number, code: string | null): Rule {
  if (httpStatus === 429) return THROTTLED;
  if (code === null) return UNAVAILABLE;
  return STS_ERRORS[code] ?? (httpStatus >= 400 && httpStatus < 500 ? REFUSED : UNAVAILABLE);
}

/**
 * Of an answer, status and error code stay: with a session it is a secret, and the text of an error names whom we are at AWS.
 */
function withoutSession(exchange: PushExchange): PushExchange {
  const { answer } = exchange;
  if (!answer) return exchange;
  const headers = answer.headers.filter(([name]) => name.toLowerCase() === 'x-amzn-requestid');
  return { ...exchange, answer: { ...answer, headers, excerpt: readAnswer(exchange)?.code ?? '' } };
}
