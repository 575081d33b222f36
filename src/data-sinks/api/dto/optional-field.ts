import { ValidateIf } from 'class-validator';

export function oneOf(values: readonly (string | number)[]): { message: string } {
  return { message: `must be one of ${values.join(', ')}` };
}

/**
 * The field may be omitted, but null is validated. class-validator's `IsOptional` skips null: a `secret` of null would
 * then count as the secret that is required when an endpoint changes.
 */
export function IfDefined(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined);
}

/** The field may be omitted; null resets it. */
export function IfNotNull(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined && value !== null);
}

/** For `PartialType`: null is validated. */
export const NOT_NULL = { skipNullProperties: false } as const;
