import { ApiProperty, ApiPropertyOptional, PartialType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsNotEmptyObject,
  IsObject,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { MAX_CUSTOM_HEADERS } from '../../core/custom-headers.js';
import {
  AUTH_SCHEMES,
  type AuthScheme,
  DATA_SINK_TYPES,
  DATA_SOURCE_ROLES,
  type DataSinkType,
  type DataSourceRole,
  OPTIONALLY_RETRYABLE_STATUSES,
  PAYLOAD_FORMATS,
  SETTABLE_SINK_STATUSES,
  type PayloadFormat,
} from '../../core/data-sink.js';
import { IfGiven } from './if-given.js';

function oneOf(values: readonly (string | number)[]): { message: string } {
  return { message: `must be one of ${values.join(', ')}` };
}

const NOT_NULL = { skipNullProperties: false } as const;

/** PostgreSQL's text holds no NUL. */
const WITHOUT_NUL = /^[^\0]*$/;
const NUL = { message: 'must not contain NUL' } as const;

export class CustomHeaderBody {
  @ApiProperty({ example: 'X-Environment', maxLength: 128 })
  @IsString()
  name!: string;

  @ApiProperty({ example: 'production', maxLength: 4096 })
  @IsString()
  value!: string;
}

export class DataSourceConfigBody {
  @ApiProperty({
    example: 'https://internal.acme.com/mapping-results',
    description: 'Where the results are posted to: https, a public host, port 443.',
    maxLength: 2048,
  })
  @IsString()
  url!: string;

  @ApiProperty({ enum: AUTH_SCHEMES, example: 'HmacSha256', description: 'How a push proves where it comes from.' })
  @IsIn(AUTH_SCHEMES, oneOf(AUTH_SCHEMES))
  authScheme!: AuthScheme;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: null,
    description: 'For Basic. Without it the secret has the form user:password.',
  })
  @ValidateIf((body: DataSourceConfigBody) => body.username !== undefined && body.username !== null)
  @IsString()
  @Length(1, 256)
  username?: string | null;

  @ApiPropertyOptional({ type: [CustomHeaderBody], description: 'Sent with every push.', maxItems: MAX_CUSTOM_HEADERS })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(MAX_CUSTOM_HEADERS)
  @ValidateNested({ each: true })
  @Type(() => CustomHeaderBody)
  customHeaders?: CustomHeaderBody[];

  @ApiPropertyOptional({
    type: [Number],
    enum: OPTIONALLY_RETRYABLE_STATUSES,
    example: [],
    description: 'The 4xx statuses that are tried again. Without it none is.',
  })
  @IfGiven()
  @IsArray()
  @ArrayUnique()
  @IsIn(OPTIONALLY_RETRYABLE_STATUSES, { each: true, ...oneOf(OPTIONALLY_RETRYABLE_STATUSES) })
  retryableStatuses?: number[];
}

export class SecretBody {
  @ApiProperty({
    writeOnly: true,
    example: '<32 random bytes, kept by you>',
    description: 'The HMAC secret, the bearer token or the password. Never shown again.',
    maxLength: 4096,
  })
  @IsString()
  @Length(1, 4096)
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
  @IsString()
  @Matches(/\S/, { message: 'must not be blank' })
  @Matches(WITHOUT_NUL, NUL)
  @MaxLength(120)
  name!: string;

  @ApiProperty({ type: DataSourceConfigBody })
  @IsObject()
  @ValidateNested()
  @Type(() => DataSourceConfigBody)
  config!: DataSourceConfigBody;

  @ApiPropertyOptional({
    type: SecretBody,
    description: 'May be left out for HmacSha256: then one is made and shown once, in this answer.',
  })
  @IfGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => SecretBody)
  secret?: SecretBody;

  @ApiProperty({ enum: PAYLOAD_FORMATS, example: 'JSON' })
  @IsIn(PAYLOAD_FORMATS, oneOf(PAYLOAD_FORMATS))
  format!: PayloadFormat;
}

export class UpdateDataSourceConfigBody extends PartialType(DataSourceConfigBody, NOT_NULL) {}

export class UpdateDataSourceBody extends PartialType(
  PickType(CreateDataSourceBody, ['name', 'format', 'secret']),
  NOT_NULL,
) {
  @ApiPropertyOptional({ enum: SETTABLE_SINK_STATUSES, example: 'ACTIVE' })
  @IfGiven()
  @IsIn(SETTABLE_SINK_STATUSES, oneOf(SETTABLE_SINK_STATUSES))
  status?: (typeof SETTABLE_SINK_STATUSES)[number];

  @ApiPropertyOptional({ type: UpdateDataSourceConfigBody, description: 'Only the fields to be changed.' })
  @IfGiven()
  @IsObject()
  @IsNotEmptyObject()
  @ValidateNested()
  @Type(() => UpdateDataSourceConfigBody)
  config?: UpdateDataSourceConfigBody;
}

export class PushBody {
  @ApiProperty({ example: 'job_01J5Z0000000000000000000AB', description: 'A finished job of this agent.' })
  @IsString()
  @Length(1, 64)
  @Matches(WITHOUT_NUL, NUL)
  jobId!: string;
}
