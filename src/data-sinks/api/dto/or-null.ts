import { ApiExtraModels, ApiProperty, type ApiPropertyOptions, getSchemaPath } from '@nestjs/swagger';
import type { Type } from '@nestjs/common';

/**
 * One of several values, or null. In OpenAPI 3.0 `nullable` is not enough: every keyword of the schema must allow null,
 * so an `enum` has to list it.
 */
export function oneOrNull<T extends string>(values: readonly T[]) {
  return { type: String, enum: [...values, null], nullable: true } as const;
}

/** An object schema or null: `allOf` next to `nullable` does not allow null either. */
export function ApiObjectOrNull(type: Type, more: Pick<ApiPropertyOptions, 'description'> = {}): PropertyDecorator {
  const property = ApiProperty({ ...more, oneOf: [{ $ref: getSchemaPath(type) }, { enum: [null], nullable: true }] });
  return (target, name) => {
    ApiExtraModels(type)(target.constructor);
    property(target, name);
  };
}
