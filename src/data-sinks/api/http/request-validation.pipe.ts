import { type ArgumentMetadata, ValidationPipe, type ValidationError } from '@nestjs/common';
import { ProblemError } from '../../domain/errors.js';
import { invalid } from '../../domain/invalid-request.js';
import { pointerPart, STRICT, UNKNOWN_FIELD, violationsOf } from '../dto/checked-fields.js';

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
    const prefix = type === 'query' ? '?' : '/';
    const names = inheritedNames(value, prefix);
    if (names.length > 0) throw invalid(names.map((pointer) => ({ pointer, detail: UNKNOWN_FIELD })));
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error;
      throw invalid(violationsOf(error.errors, prefix));
    }
  }
}

/**
 * Fields whose names every object has, such as `__proto__` and `constructor`. The libraries drop them without a word,
 * and no request has such a field.
 */
function inheritedNames(value: unknown, prefix: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const pointer = `${prefix}${pointerPart(name)}`;
    const isKnownToAll = !Array.isArray(value) && (name in Object.prototype || name === 'prototype');
    return isKnownToAll ? [pointer] : inheritedNames(inner, `${pointer}/`);
  });
}

class InvalidRequest extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('the request is not valid');
  }
}
