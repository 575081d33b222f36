import { ApiExtraModels, ApiProperty, type ApiPropertyOptions, getSchemaPath } from '@nestjs/swagger';
import type { Type } from '@nestjs/common';

/**
 * One of some values, or null. OpenAPI 3.0 lets null through only where every keyword of the schema does, `nullable` or
 * not, and an `enum` is one: it has to list it.
 */
export function oneOrNull<T extends string>(values: readonly T[]) {
  return { type: String, enum: [...values, null], nullable: true } as const;
}

/** An object of its own schema, or null: `allOf` beside `nullable` lets no null through either. */
export function ApiObjectOrNull(type: Type, more: Pick<ApiPropertyOptions, 'description'> = {}): PropertyDecorator {
  const property = ApiProperty({ ...more, oneOf: [{ $ref: getSchemaPath(type) }, { enum: [null], nullable: true }] });
  return (target, name) => {
    ApiExtraModels(type)(target.constructor);
    property(target, name);
  };
}
