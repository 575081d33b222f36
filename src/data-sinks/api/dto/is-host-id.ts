import { registerDecorator } from 'class-validator';
import { invalidHostId, MAX_HOST_ID_LENGTH } from '../../domain/host-id.js';

/** The limits for the OpenAPI document. */
export const HOST_ID_SCHEMA = { type: String, minLength: 1, maxLength: MAX_HOST_ID_LENGTH } as const;

/** An id made by the host, validated by `domain/host-id.ts`. */
export function IsHostId(): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name: 'isHostId',
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) => invalidHostId(value) === null,
        defaultMessage: (about) => invalidHostId(about?.value) ?? '',
      },
    });
}
