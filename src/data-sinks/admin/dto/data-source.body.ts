import { ApiProperty, ApiPropertyOptional, PartialType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsIn,
  IsNotEmptyObject,
  IsObject,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import {
  DATA_SINK_TYPES,
  DATA_SOURCE_ROLES,
  type DataSinkType,
  type DataSourceRole,
  PAYLOAD_FORMATS,
  SETTABLE_SINK_STATUSES,
  type PayloadFormat,
} from '../../core/data-sink.js';
import { DataSourceConfigBody } from './data-source-config.body.js';
import { IfGiven, NOT_NULL, oneOf } from './given.js';
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

  @ApiProperty({ enum: DATA_SINK_TYPES, example: 'HTTPS_WEBHOOK' })
  @IsIn(DATA_SINK_TYPES, oneOf(DATA_SINK_TYPES))
  type!: DataSinkType;

  @ApiProperty({ example: 'Internal BI ingest', minLength: 1, maxLength: 120 })
  @Matches(/\S/, { message: 'must not be blank' })
  @IsStorable()
  @MaxLength(120)
  @IsString()
  name!: string;

  @ApiProperty({ type: DataSourceConfigBody })
  @ValidateNested()
  @Type(() => DataSourceConfigBody)
  @IsObject()
  config!: DataSourceConfigBody;

  @ApiPropertyOptional({
    type: SecretBody,
    description: 'May be left out for HmacSha256: then one is made and shown once, in this answer.',
  })
  @IfGiven()
  @ValidateNested()
  @Type(() => SecretBody)
  @IsObject()
  secret?: SecretBody;

  @ApiProperty({ enum: PAYLOAD_FORMATS, example: 'JSON' })
  @IsIn(PAYLOAD_FORMATS, oneOf(PAYLOAD_FORMATS))
  format!: PayloadFormat;
}

export class UpdateDataSourceConfigBody extends PartialType(DataSourceConfigBody, NOT_NULL) {}

export class UpdateDataSourceBody extends PartialType(PickType(CreateDataSourceBody, ['name', 'format']), NOT_NULL) {
  @ApiPropertyOptional({
    type: SecretBody,
    description:
      'Replaces the secret, and ends every one before it at once; needed when the endpoint’s host, the scheme or the username changes. Left out, the secret stays.',
  })
  @IfGiven()
  @ValidateNested()
  @Type(() => SecretBody)
  @IsObject()
  secret?: SecretBody;

  @ApiPropertyOptional({ enum: SETTABLE_SINK_STATUSES, example: 'ACTIVE' })
  @IfGiven()
  @IsIn(SETTABLE_SINK_STATUSES, oneOf(SETTABLE_SINK_STATUSES))
  status?: (typeof SETTABLE_SINK_STATUSES)[number];

  @ApiPropertyOptional({ type: UpdateDataSourceConfigBody, description: 'Only the fields to be changed.' })
  @IfGiven()
  @IsNotEmptyObject()
  @ValidateNested()
  @Type(() => UpdateDataSourceConfigBody)
  @IsObject()
  config?: UpdateDataSourceConfigBody;
}

export class PushBody {
  @ApiProperty({ example: 'job_01J5Z0000000000000000000AB', description: 'A finished job of this agent.' })
  @Length(1, 64)
  @IsStorable()
  @IsString()
  jobId!: string;
}
