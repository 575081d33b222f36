import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsString,
  Length,
  ValidateNested,
} from 'class-validator';
import { MAX_CUSTOM_HEADERS } from '../../domain/custom-headers.js';
import { AUTH_SCHEMES, type AuthScheme, OPTIONALLY_RETRYABLE_STATUSES } from '../../domain/data-sink.js';
import { BodySettingsFields } from './body-settings.fields.js';
import { IfDefined, IfNotNull, oneOf } from './optional-field.js';
import { IsStorable } from './stored-text.js';

export class CustomHeaderBody {
  @ApiProperty({ example: 'X-Environment', maxLength: 128 })
  @IsString()
  name!: string;

  @ApiProperty({ example: 'production', maxLength: 4096 })
  @IsString()
  value!: string;
}

/** The `config` of an `HTTPS_WEBHOOK`. */
export class DataSourceConfigBody extends BodySettingsFields {
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
  @IfDefined()
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
  @IfDefined()
  @ArrayUnique()
  @IsIn(OPTIONALLY_RETRYABLE_STATUSES, { each: true, ...oneOf(OPTIONALLY_RETRYABLE_STATUSES) })
  @IsArray()
  retryableStatuses?: number[];

  @ApiPropertyOptional({
    example: false,
    description:
      'Whether pushes carry a `traceparent` (W3C Trace Context) that goes on with the trace of the job, where it has one. Without it they do not.',
  })
  @IfDefined()
  @IsBoolean()
  sendTraceparent?: boolean;
}
