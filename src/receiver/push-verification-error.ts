/**
 * Why a push was not accepted, by stable code. `statusCode` is the answer that fits: 500 where this server is set up
 * wrongly (the sender tries a 5xx again, so a quick fix loses nothing), 4xx where the request is at fault (never retried).
 * `docs/receiving.md` explains each; a test compares the two.
 */
export const PUSH_VERIFICATION_ERRORS = {
  body_already_parsed: { statusCode: 500, title: 'The body was parsed before it was verified' },
  body_missing: { statusCode: 500, title: 'The raw body was not given' },
  secret_missing: { statusCode: 500, title: 'There is no secret to verify with' },
  body_too_large: { statusCode: 413, title: 'The body is larger than this server takes' },
  malformed_header: { statusCode: 400, title: 'A signature header is not of the expected form' },
  missing_header: { statusCode: 401, title: 'A signature header is missing' },
  unsupported_signature: { statusCode: 401, title: 'No signature is of a version known here' },
  timestamp_too_old: { statusCode: 401, title: 'The push was signed too long ago' },
  timestamp_too_new: { statusCode: 401, title: 'The push was signed in the future' },
  body_altered: { statusCode: 401, title: 'The body is not the one that was sent' },
  wrong_secret: { statusCode: 401, title: 'The push was signed with another secret' },
  signature_mismatch: { statusCode: 401, title: 'The signature does not match' },
  unauthorized: { statusCode: 401, title: 'The Authorization header does not match' },
} as const satisfies Record<string, { readonly statusCode: number; readonly title: string }>;

export type PushVerificationErrorCode = keyof typeof PUSH_VERIFICATION_ERRORS;

/**
 * A push that must not be trusted. The message says what to fix and holds no secret and no signature. Express, Fastify
 * and Nest answer with `statusCode` when it is thrown in a route.
 */
export class PushVerificationError extends Error {
  override readonly name = 'PushVerificationError';
  /** With `status` and `statusCode`, the convention by which frameworks know an error whose message may be shown. */
  readonly expose = true;

  /**
   * @param code which of `PUSH_VERIFICATION_ERRORS`
   * @param detail what happened here and what to do about it
   * @param header the header it is about, where it is about one
   */
  constructor(
    readonly code: PushVerificationErrorCode,
    detail: string,
    readonly header: string | null = null,
  ) {
    super(detail);
  }

  get statusCode(): number {
    return PUSH_VERIFICATION_ERRORS[this.code].statusCode;
  }

  get status(): number {
    return this.statusCode;
  }

  /** The body of an `application/problem+json` answer; the sender's console shows it beside the attempt. */
  toProblem(): PushProblem {
    const { statusCode, title } = PUSH_VERIFICATION_ERRORS[this.code];
    return { type: 'about:blank', title, status: statusCode, detail: this.message, code: this.code };
  }
}

export interface PushProblem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: PushVerificationErrorCode;
}
