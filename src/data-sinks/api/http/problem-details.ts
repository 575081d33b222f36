import { HttpStatus } from '@nestjs/common';
import { PROBLEMS, type ProblemError } from '../../domain/errors.js';

/** RFC 9457. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/**
 * The body of an error thrown by the host, e.g. by a guard: its status and text without a type of ours (RFC 9457,
 * 4.2.1).
 */
export function hostsProblemDetails(
  status: number,
  detail: string,
  requestId?: string,
): Readonly<Record<string, unknown>> {
  return { type: 'about:blank', title: statusPhrase(status), status, detail, ...(requestId && { requestId }) };
}

function statusPhrase(status: number): string {
  const name = HttpStatus[status] ?? 'REFUSED';
  return name
    .toLowerCase()
    .replace(/(^|_)(.)/g, (_, gap: string, letter: string) => `${gap && ' '}${letter.toUpperCase()}`);
}

/**
 * The body of an error response.
 * @param errorBase prefix of its `type`, followed by the problem's code
 * @param requestId its `X-Request-Id`; undefined on the host's own routes
 */
export function problemDetails(
  problem: ProblemError,
  errorBase: string,
  requestId?: string,
): Readonly<Record<string, unknown>> {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: `${errorBase}${problem.code}`,
    title,
    status,
    detail: problem.detail,
    ...problem.extras.members,
    ...(problem.extras.errors && { errors: problem.extras.errors }),
    ...(requestId && { requestId }),
  };
}
