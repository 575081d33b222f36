import { ProblemError } from './errors.js';
import type { RuleViolation } from './data-sink-rules.js';

/** Builds the `validation-failed` problem from a list of violations. */
export function invalid(errors: readonly RuleViolation[]): ProblemError {
  return new ProblemError('validation-failed', summary(errors), { errors });
}

function summary(found: readonly RuleViolation[]): string {
  const [first] = found;
  if (!first) return 'The request is not valid.';
  const more = found.length > 1 ? ` and ${found.length - 1} more, see errors` : '';
  return `${first.pointer || 'The body'} ${first.detail}${more}.`;
}
