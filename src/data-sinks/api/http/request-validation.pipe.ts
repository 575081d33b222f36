import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { ProblemError } from '../../domain/errors.js';
import { invalid } from '../../domain/invalid-request.js';
import { STRICT, violationsOf } from '../dto/checked-fields.js';

/**
 * Validates input against the DTO's decorators. Unknown fields are refused: a misspelt field that is dropped silently
 * is noticed only when something is missing.
 */
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      ...STRICT,
      transform: true,
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
      throw invalid(violationsOf(error.errors, type === 'query' ? '?' : '/'));
    }
  }
}

class InvalidRequest extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('the request is not valid');
  }
}
