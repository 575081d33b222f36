import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { ProblemError, type RuleViolation } from '../../data-sinks/index.js';

/** Validates the host's DTOs and responds with a problem that points to each error. */
export function problemValidationPipe(source: 'body' | 'query'): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => {
      const findings = flatten(errors, source === 'body' ? '/' : '?');
      const detail = findings.length === 1 ? 'One field is not valid.' : `${findings.length} fields are not valid.`;
      return new ProblemError('validation-failed', detail, { errors: findings });
    },
  });
}

function flatten(errors: readonly ValidationError[], prefix: string): RuleViolation[] {
  return errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const pointer = `${prefix}${property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const own = Object.entries(constraints).map(([rule, text]) => ({
      pointer,
      detail: rule === 'whitelistValidation' ? 'unknown field' : text.replace(`${property} `, ''),
    }));
    return [...own, ...flatten(children, `${pointer}/`)];
  });
}
