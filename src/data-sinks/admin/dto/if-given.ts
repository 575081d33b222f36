import { ValidateIf } from 'class-validator';

/**
 * The field may be left out. Null is a value like any other and is judged as one: class-validator's own `IsOptional` would
 * wave it through, and a `secret` of null would then pass for the secret that moving a sink asks for.
 */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_body: object, value: unknown) => value !== undefined);
}
