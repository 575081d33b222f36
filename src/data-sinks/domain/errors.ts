import type { RuleViolation } from './data-sink-rules.js';

/**
 * Every API error: its stable code, HTTP status and title. The code is the last segment of the problem's `type`
 * (contract, section 3). `docs/errors.md` explains each; a test compares the two.
 */
export const PROBLEMS = {
  'malformed-json': { status: 400, title: 'The body is not valid JSON' },
  'invalid-cursor': { status: 400, title: 'The cursor is not one of ours' },
  unauthenticated: { status: 401, title: 'A valid token is required' },
  'plan-required': { status: 403, title: 'The workspace’s plan does not include data sinks' },
  'insufficient-scope': { status: 403, title: 'The token lacks a scope' },
  'not-found': { status: 404, title: 'Not found' },
  'delivery-exists': { status: 409, title: 'This job was already pushed to this sink' },
  'delivery-unsettled': { status: 409, title: 'The delivery is still under way' },
  'delivery-not-waiting': { status: 409, title: 'The delivery does not wait' },
  'recovery-running': { status: 409, title: 'A recovery of this sink is running' },
  'sink-inactive': { status: 409, title: 'The sink is not active' },
  'agent-inactive': { status: 409, title: 'The agent is not active' },
  'changed-meanwhile': { status: 409, title: 'Somebody else changed it at the same time' },
  'sink-limit-reached': { status: 409, title: 'No more sinks are allowed here' },
  'destination-missing': { status: 409, title: 'This type of sink is not offered here' },
  'location-taken': { status: 409, title: 'Another sink writes to this place' },
  'payload-gone': { status: 410, title: 'The bytes are no longer kept' },
  'precondition-failed': { status: 412, title: 'It is not as If-Match says' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'validation-failed': { status: 422, title: 'The request is not valid' },
  'recovery-too-far-back': { status: 422, title: 'A recovery does not go back so far' },
  'recovery-too-large': { status: 422, title: 'Too many deliveries for one recovery' },
  'secret-required': { status: 422, title: 'This change needs the secret again' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something went wrong on our side' },
  'temporarily-unavailable': { status: 503, title: 'Try again later' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Prefix of a problem's `type`. The option `errorBase` replaces it. */
export const PROBLEM_TYPE_BASE = 'https://mapping.travel/errors/';

export interface ProblemExtras {
  /** Validation errors with JSON pointers into the request body, or `?name` for a query parameter. */
  readonly errors?: readonly RuleViolation[];
  /** Extra members of this problem, such as `deliveryId`. Never a secret. */
  readonly members?: Readonly<Record<string, string | number>>;
  /** Value of the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
}

/** An expected error, returned to the client as `application/problem+json`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  /**
   * @param code a key of `PROBLEMS`
   * @param detail what happened and what the client should do, as a sentence
   */
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(`${code}: ${detail}`);
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/**
 * A host's port returned a value of the wrong type. The message names the method, the returned type and the expected
 * type. Retrying does not help until the host is fixed.
 */
export class PortAnswerError extends Error {
  readonly code = 'port_answer_invalid';
  override readonly name = 'PortAnswerError';
}

/** A call exceeded its time limit. A later result is ignored. */
export class NoAnswerError extends Error {
  readonly code = 'no_answer';
  override readonly name = 'NoAnswerError';
}

/** An invalid setting. It stops the boot; the message says what to set. */
export class ConfigurationError extends Error {
  readonly code = 'configuration_invalid';
  override readonly name = 'ConfigurationError';
}
