import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { ProblemError } from '../core/errors.js';
import type { RuleViolation } from '../core/rules.js';

/**
 * Checks what comes in against the DTO's decorators; what the DTO does not know is refused, since a misspelt field that
 * is silently dropped is found only when something is missing.
 */
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => new InvalidRequest(errors),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type } = metadata;
    if (type === 'param' || type === 'custom') return value;
    if (type === 'body' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw new ProblemError('validation-failed', 'The body must be a JSON object.', {
        errors: [{ pointer: '', detail: 'must be an object' }],
      });
    }
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error;
      throw invalid(violations(error.errors, type === 'query' ? '?' : '/'));
    }
  }
}

class InvalidRequest extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('the request is not valid');
  }
}

/** The problem that tells what is wrong with a request, and where. */
export function invalid(errors: readonly RuleViolation[]): ProblemError {
  return new ProblemError('validation-failed', summary(errors), { errors });
}

/** A pointer into the body (RFC 6901), or `?name` for a query parameter. */
function violations(errors: readonly ValidationError[], prefix: string): RuleViolation[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const pointer = `${prefix}${property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const own = Object.entries(constraints ?? {}).map(([name, message]) => ({
      pointer,
      detail: name === 'whitelistValidation' ? 'is not a field of this request' : withoutName(message, property),
    }));
    return [...own, ...violations(children ?? [], `${pointer}/`)];
  });
}

function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

function summary(found: readonly RuleViolation[]): string {
  const [first] = found;
  if (!first) return 'The request is not valid.';
  const more = found.length > 1 ? ` and ${found.length - 1} more, see errors` : '';
  return `${first.pointer || 'The body'} ${first.detail}${more}.`;
}
