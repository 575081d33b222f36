import { type AttemptOutcome, classify, outcome, type Verdict } from '../../domain/attempt-outcome.js';
import type { AttemptErrorCode } from '../../domain/attempt.js';
import type { PushExchange } from '../../egress/index.js';

/** What a store said, as far as it can be told. */
export interface S3Answer {
  readonly httpStatus: number;
  /** `NoSuchBucket`; null where there is none, as in an answer to HEAD. */
  readonly code: string | null;
  readonly message: string | null;
  /** Of an answer that names the right one. */
  readonly region: string | null;
}

type Rule = readonly [errorCode: AttemptErrorCode, verdict: Verdict];

/**
 * By the code of the error. What is not here is judged by its HTTP status, as an answer of a webhook is: 4xx final, 5xx
 * retried.
 */
export const S3_ERRORS: Readonly<Record<string, Rule>> = {
  AccessDenied: ['bucket_access_denied', 'FINAL'],
  AllAccessDisabled: ['bucket_access_denied', 'FINAL'],
  AccountProblem: ['bucket_access_denied', 'FINAL'],
  InvalidAccessKeyId: ['bucket_keys_refused', 'FINAL'],
  SignatureDoesNotMatch: ['bucket_keys_refused', 'FINAL'],
  // versitygw's name for it.
  XAdminUserNotFound: ['bucket_keys_refused', 'FINAL'],
  InvalidToken: ['bucket_keys_refused', 'FINAL'],
  ExpiredToken: ['bucket_session_expired', 'RETRY'],
  TokenRefreshRequired: ['bucket_session_expired', 'RETRY'],
  NoSuchBucket: ['bucket_not_found', 'FINAL'],
  PermanentRedirect: ['bucket_in_other_region', 'FINAL'],
  TemporaryRedirect: ['bucket_in_other_region', 'FINAL'],
  AuthorizationHeaderMalformed: ['bucket_in_other_region', 'FINAL'],
  IllegalLocationConstraintException: ['bucket_in_other_region', 'FINAL'],
  // Our own clock, which follows the database's.
  RequestTimeTooSkewed: ['clock_skewed', 'RETRY_FREE'],
  SlowDown: ['bucket_slow_down', 'RETRY'],
  ServiceUnavailable: ['receiver_error', 'RETRY'],
  InternalError: ['receiver_error', 'RETRY'],
  RequestTimeout: ['upload_stalled', 'RETRY'],
  // Two writers of one key at the same moment: one of them is told so and tries again.
  ConditionalRequestConflict: ['bucket_conflict', 'RETRY'],
  OperationAborted: ['bucket_conflict', 'RETRY'],
  NoSuchUpload: ['bucket_upload_gone', 'RETRY'],
  PreconditionFailed: ['object_exists', 'FINAL'],
  XAmzContentSHA256Mismatch: ['body_damaged', 'RETRY'],
  BadDigest: ['body_damaged', 'RETRY'],
  NotImplemented: ['bucket_unsupported', 'FINAL'],
  'KMS.DisabledException': ['bucket_access_denied', 'FINAL'],
  'KMS.NotFoundException': ['bucket_access_denied', 'FINAL'],
};

/** Where there is no body, or one that is no error of a store's: of HEAD, or of a proxy. */
const BY_STATUS: Readonly<Record<number, Rule>> = {
  301: ['bucket_in_other_region', 'FINAL'],
  307: ['bucket_in_other_region', 'FINAL'],
  403: ['bucket_access_denied', 'FINAL'],
  409: ['bucket_conflict', 'RETRY'],
  412: ['object_exists', 'FINAL'],
};

/** @returns null when there was no answer */
export function readAnswer({ answer }: PushExchange): S3Answer | null {
  if (!answer) return null;
  const header = answer.headers.find(([name]) => name.toLowerCase() === 'x-amz-bucket-region')?.[1];
  const text = answer.excerpt;
  const isError = /<Error[\s>]/.test(text);
  return {
    httpStatus: answer.httpStatus,
    code: isError ? element(text, 'Code') : null,
    message: isError ? element(text, 'Message') : null,
    region: header ?? (isError ? element(text, 'Region') : null),
  };
}

/**
 * The text of an element. No parser: nothing is expanded, and of what is read, 16 KB at most, a bomb of entities is a text
 * like any other.
 */
export function element(xml: string, name: string, mostCharacters = 1_024): string | null {
  const [, text] = new RegExp(`<${name}>([^<]{1,${mostCharacters}})</${name}>`).exec(xml) ?? [];
  return text ?? null;
}

/** All of a name, as they are written; their own elements may be looked for in each. */
export function elements(xml: string, name: string): string[] {
  return xml
    .split(`<${name}>`)
    .slice(1)
    .map((it) => it.split(`</${name}>`)[0] ?? '');
}

/**
 * What an exchange with a store means. A success whose body is an error, which completing an upload may give, is that
 * error.
 */
export function outcomeOf(exchange: PushExchange): AttemptOutcome {
  const general = classify(exchange.result);
  const answer = readAnswer(exchange);
  if (!answer) return general;
  const { httpStatus, code } = answer;
  const failed = httpStatus >= 300 || code !== null;
  if (!failed) return general;
  const rule = (code === null ? undefined : S3_ERRORS[code]) ?? (code === null ? BY_STATUS[httpStatus] : undefined);
  const retryAfterMs = exchange.result.kind === 'answered' ? exchange.result.retryAfterMs : null;
  if (!rule) return httpStatus < 300 ? outcome('HTTP_5XX', 'receiver_error', 'RETRY', null) : general;
  const [errorCode, verdict] = rule;
  // A success that is none has the class of a failure of the store's.
  const status = httpStatus < 300 ? 'HTTP_5XX' : general.status;
  return outcome(status, errorCode, verdict, verdict === 'FINAL' ? null : retryAfterMs);
}
