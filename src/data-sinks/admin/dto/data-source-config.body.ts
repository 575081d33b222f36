import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { MAX_CUSTOM_HEADERS } from '../../core/custom-headers.js';
import {
  AUTH_SCHEMES,
  type AuthScheme,
  type Compression,
  COMPRESSIONS,
  MAX_ROWS_PER_PUSH,
  OPTIONALLY_RETRYABLE_STATUSES,
} from '../../core/data-sink.js';
import { ROW_FIELDS, type RowField } from '../../core/job-completed.js';
import { MAX_PARTS } from '../../core/payload-recipe.js';
import { IfGiven, IfNotNull, oneOf } from './given.js';
import { IsStorable } from './stored-text.js';

const MIN_PUSHES_PER_SECOND = 0.01;
const MAX_PUSHES_PER_SECOND = 1_000;

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
  @IfNotNull()
  @Length(1, 256)
  @IsStorable()
  @IsString()
  username?: string | null;

  @ApiPropertyOptional({ type: [CustomHeaderBody], description: 'Sent with every push.', maxItems: MAX_CUSTOM_HEADERS })
  @IfGiven()
  @ArrayMaxSize(MAX_CUSTOM_HEADERS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CustomHeaderBody)
  @IsArray()
  customHeaders?: CustomHeaderBody[];

  @ApiPropertyOptional({
    type: [Number],
    enum: OPTIONALLY_RETRYABLE_STATUSES,
    example: [],
    description: 'The 4xx statuses that are tried again. Without it none is.',
  })
  @IfGiven()
  @ArrayUnique()
  @IsIn(OPTIONALLY_RETRYABLE_STATUSES, { each: true, ...oneOf(OPTIONALLY_RETRYABLE_STATUSES) })
  @IsArray()
  retryableStatuses?: number[];

  @ApiPropertyOptional({
    enum: COMPRESSIONS,
    example: 'none',
    description:
      'gzip sends the body compressed, with Content-Encoding; signatures cover the bytes as sent. Without it none.',
  })
  @IfGiven()
  @IsIn(COMPRESSIONS, oneOf(COMPRESSIONS))
  compression?: Compression;

  @ApiPropertyOptional({
    type: [String],
    enum: ROW_FIELDS,
    nullable: true,
    example: null,
    description:
      'The row fields that are sent, partnerRowId always among them, in the order of the payload. Null: all.',
  })
  @IfNotNull()
  @ArrayNotEmpty()
  @ArrayUnique()
  @ArrayMaxSize(ROW_FIELDS.length)
  @IsString({ each: true })
  @IsArray()
  includeFields?: RowField[] | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_ROWS_PER_PUSH,
    nullable: true,
    example: null,
    description: `A job with more rows is pushed as numbered parts, each a delivery of its own, at most ${MAX_PARTS}. Null: in one piece.`,
  })
  @IfNotNull()
  @Min(1)
  @Max(MAX_ROWS_PER_PUSH)
  @IsInt()
  maxRowsPerPush?: number | null;

  @ApiPropertyOptional({
    type: Number,
    minimum: MIN_PUSHES_PER_SECOND,
    maximum: MAX_PUSHES_PER_SECOND,
    nullable: true,
    example: null,
    description: 'At most so many pushes a second, retries among them; 0.1 is one in ten seconds. Null: no such limit.',
  })
  @IfNotNull()
  @Min(MIN_PUSHES_PER_SECOND)
  @Max(MAX_PUSHES_PER_SECOND)
  @IsNumber({ maxDecimalPlaces: 2 })
  maxPushesPerSecond?: number | null;

  @ApiPropertyOptional({
    example: false,
    description:
      'Whether pushes carry a `traceparent` (W3C Trace Context) that goes on with the trace of the job, where it has one. Without it they do not.',
  })
  @IfGiven()
  @IsBoolean()
  sendTraceparent?: boolean;
}
