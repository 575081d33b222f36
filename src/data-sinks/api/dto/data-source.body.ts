import { ApiProperty, ApiPropertyOptional, PartialType, PickType } from '@nestjs/swagger';
import { IsIn, IsNotEmptyObject, IsObject, IsString, Length, Matches, MaxLength } from 'class-validator';
import {
  DATA_SOURCE_ROLES,
  type DataSourceRole,
  PAYLOAD_FORMATS,
  SETTABLE_SINK_STATUSES,
  type PayloadFormat,
} from '../../domain/data-sink.js';
import { DataSourceConfigBody } from './data-source-config.body.js';
import { IfDefined, NOT_NULL, oneOf } from './optional-field.js';
import { configSchema, secretSchema } from './by-type.js';
import { HOST_ID_SCHEMA, IsHostId } from './is-host-id.js';
import { IsStorable } from './stored-text.js';

export class SecretBody {
  @ApiProperty({
    writeOnly: true,
    example: '<32 random bytes, kept by you>',
    description: 'The HMAC secret, the bearer token or the password. Never shown again.',
    maxLength: 4096,
  })
  @Length(1, 4096)
  @IsStorable()
  @IsString()
  value!: string;
}

export class CreateDataSourceBody {
  @ApiProperty({ enum: DATA_SOURCE_ROLES, example: 'RESULTS_SINK' })
  @IsIn(DATA_SOURCE_ROLES, oneOf(DATA_SOURCE_ROLES))
  role!: DataSourceRole;

  @ApiProperty({
    example: 'HTTPS_WEBHOOK',
    description: 'HTTPS_WEBHOOK, or another type that is offered here, such as S3.',
  })
  @IsString()
  type!: string;

  @ApiProperty({ example: 'Internal BI ingest', minLength: 1, maxLength: 120 })
  @Matches(/\S/, { message: 'must not be blank' })
  @IsStorable()
  @MaxLength(120)
  @IsString()
  name!: string;

  @ApiProperty(configSchema(DataSourceConfigBody))
  @IsObject()
  config!: object;

  @ApiPropertyOptional({
    ...secretSchema(SecretBody),
    description: 'May be left out for HmacSha256: then one is made and shown once, in this answer.',
  })
  @IfDefined()
  @IsObject()
  secret?: object;

  @ApiProperty({ enum: PAYLOAD_FORMATS, example: 'JSON' })
  @IsIn(PAYLOAD_FORMATS, oneOf(PAYLOAD_FORMATS))
  format!: PayloadFormat;
}

export class UpdateDataSourceConfigBody extends PartialType(DataSourceConfigBody, NOT_NULL) {}

export class UpdateDataSourceBody extends PartialType(PickType(CreateDataSourceBody, ['name', 'format']), NOT_NULL) {
  @ApiPropertyOptional({
    ...secretSchema(SecretBody),
    description:
      'Replaces the secret, and ends every one before it at once; needed when the endpoint’s host, the scheme or the username changes. Left out, the secret stays.',
  })
  @IfDefined()
  @IsObject()
  secret?: object;

  @ApiPropertyOptional({ enum: SETTABLE_SINK_STATUSES, example: 'ACTIVE' })
  @IfDefined()
  @IsIn(SETTABLE_SINK_STATUSES, oneOf(SETTABLE_SINK_STATUSES))
  status?: (typeof SETTABLE_SINK_STATUSES)[number];

  @ApiPropertyOptional({ ...configSchema(UpdateDataSourceConfigBody), description: 'Only the fields to be changed.' })
  @IfDefined()
  @IsNotEmptyObject()
  @IsObject()
  config?: object;
}

export class PushBody {
  @ApiProperty({
    ...HOST_ID_SCHEMA,
    example: 'job_01J5Z0000000000000000000AB',
    description: 'A finished job of this agent.',
  })
  @IsHostId()
  jobId!: string;
}
