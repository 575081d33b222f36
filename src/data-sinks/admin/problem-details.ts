import { PROBLEM_TYPE_BASE, PROBLEMS, type ProblemError } from '../core/errors.js';

/** RFC 9457. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The body of an error answer. */
export function problemDetails(problem: ProblemError): Readonly<Record<string, unknown>> {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: `${PROBLEM_TYPE_BASE}${problem.code}`,
    title,
    status,
    detail: problem.detail,
    ...problem.extras.members,
    ...(problem.extras.errors && { errors: problem.extras.errors }),
  };
}
