/**
 * Why a push was refused, by stable code. `statusCode` is the recommended response: 500 if this server is misconfigured
 * (the sender retries a 5xx, so nothing is lost if it is fixed soon), 4xx if the request is at fault (never retried).
 * `docs/receiving.md` explains each code; a test compares the two.
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
 * A push that must not be trusted. The message says what to fix and contains no secret and no signature. Express,
 * Fastify and Nest respond with `statusCode` when a route throws it.
 */
export class PushVerificationError extends Error {
  override readonly name = 'PushVerificationError';
  /** Frameworks show the message of an error that has `status` and `statusCode`. */
  readonly expose = true;

  /**
   * @param code a key of `PUSH_VERIFICATION_ERRORS`
   * @param detail what happened and how to fix it
   * @param header the header at fault, if any
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

  /** The body of an `application/problem+json` response; the sender's console shows it with the attempt. */
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
