import type { Type } from '@nestjs/common';
import { type ApiPropertyOptions, getSchemaPath } from '@nestjs/swagger';

/** Fields that depend on the sink's type: those of a webhook, or of another type that the host offers. */
function byType(webhook: Type<object>, others: string, example: object): ApiPropertyOptions {
  const other = { type: 'object', additionalProperties: true, description: others };
  return { anyOf: [{ $ref: getSchemaPath(webhook) }, other], example };
}

export function configSchema(webhook: Type<object>): ApiPropertyOptions {
  const example = { url: 'https://internal.acme.com/mapping-results', authScheme: 'HmacSha256' };
  return byType(webhook, 'Another type: S3 has the fields of S3ConfigFields, where it is offered.', example);
}

export function secretSchema(webhook: Type<object>): ApiPropertyOptions {
  const example = { value: '<32 random bytes, kept by you>' };
  return byType(webhook, 'Another type: S3 has the fields of S3SecretFields, where it is offered.', example);
}
