import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync, type ValidatorOptions } from 'class-validator';
import { invalid } from '../../domain/invalid-request.js';
import type { RuleViolation } from '../../domain/data-sink-rules.js';

/** What the class does not know is refused: a misspelt field that is dropped is found only when something is missing. */
export const STRICT: ValidatorOptions = { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true };

/** Said of a field that its class does not know. */
export const UNKNOWN_FIELD = 'is not a field of this request';

/**
 * Checks a part of a request whose fields depend on the type of the sink.
 * @param fields a class with class-validator's decorators
 * @param pointer to the part: `/config`, or empty for the request itself
 * @throws ProblemError `validation-failed`, with a pointer for each wrong field
 */
export function checkedFields(fields: Type<object>, given: object, pointer: string): Readonly<Record<string, unknown>> {
  const body = plainToInstance(fields, given);
  const violations = violationsIn(fields, given, pointer);
  if (violations.length > 0) throw invalid(violations);
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** What is wrong with a part of a request, with a pointer for each field. */
export function violationsIn(fields: Type<object>, given: object, pointer: string): RuleViolation[] {
  return violationsOf(validateSync(plainToInstance(fields, given), STRICT), `${pointer}/`);
}

/** A name as a part of a pointer. */
export const pointerPart = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** A pointer into the body (RFC 6901), or `?name` for a query parameter. */
export function violationsOf(errors: readonly ValidationError[], prefix: string): RuleViolation[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const pointer = `${prefix}${pointerPart(property)}`;
    const own = Object.entries(constraints ?? {}).map(([name, message]) => ({
      pointer,
      detail: name === 'whitelistValidation' ? UNKNOWN_FIELD : withoutName(message, property),
    }));
    return [...own, ...violationsOf(children ?? [], `${pointer}/`)];
  });
}

function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
