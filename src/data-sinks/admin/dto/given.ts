import { ValidateIf } from 'class-validator';

export function oneOf(values: readonly (string | number)[]): { message: string } {
  return { message: `must be one of ${values.join(', ')}` };
}

/**
 * The field may be left out. Null is a value like any other and is judged as one: class-validator's own `IsOptional` would
 * wave it through, and a `secret` of null would then pass for the secret that moving a sink asks for.
 */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined);
}

/** The field may be left out, and null takes back what was set. */
export function IfNotNull(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined && value !== null);
}

/** For `PartialType`: a field that is null is judged. */
export const NOT_NULL = { skipNullProperties: false } as const;
