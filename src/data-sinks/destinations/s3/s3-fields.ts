import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString, Length, Matches, MaxLength } from 'class-validator';
import { BodySettingsFields } from '../../api/dto/body-settings.fields.js';
import { IfNotNull, oneOf } from '../../api/dto/optional-field.js';
import { oneOrNull } from '../../api/dto/or-null.js';
import { IsStorable } from '../../api/dto/stored-text.js';
import { MAX_PREFIX_BYTES } from './object-key.js';
import { STORAGE_CLASSES, type StorageClass } from './s3-settings.js';

/** The fields of `config`. */
export class S3ConfigFields extends BodySettingsFields {
  @ApiProperty({ example: 'acme-mapping-results', minLength: 3, maxLength: 63 })
  @Length(3, 63)
  @IsString()
  bucket!: string;

  @ApiPropertyOptional({
    example: 'incoming/',
    maxLength: MAX_PREFIX_BYTES,
    description:
      'Objects are named `{prefix}job-{jobId}.{ext}`, with one slash between. Without it they are in the root.',
  })
  @IfNotNull()
  @MaxLength(MAX_PREFIX_BYTES)
  @IsStorable()
  @IsString()
  prefix?: string;

  @ApiProperty({ example: 'eu-west-1', maxLength: 32, description: 'Of the bucket; `auto` for stores that have none.' })
  @Length(1, 32)
  @IsString()
  region!: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: null,
    maxLength: 2048,
    description:
      'Of any other store with the same interface (R2, MinIO, B2, Tigris, Google): https, a public host, no path. Null: AWS.',
  })
  @IfNotNull()
  @MaxLength(2048)
  @IsString()
  endpointUrl?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: null,
    maxLength: 2048,
    description:
      'The role that is assumed to write, in the place of a secret, where the platform offers that. The answer then has `trustPolicy`, and in `config` the `externalId` of the workspace. Null: the sink has keys.',
  })
  @IfNotNull()
  @MaxLength(2048)
  @IsString()
  roleArn?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: null,
    description: 'Objects are encrypted with this key of AWS KMS. Null: as the bucket says.',
  })
  @IfNotNull()
  @Matches(/^[A-Za-z0-9:/_-]{1,2048}$/, { message: 'must be the id or ARN of a KMS key' })
  @IsString()
  kmsKeyId?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    example: null,
    description: 'The account that must own the bucket: twelve digits. Null: any.',
  })
  @IfNotNull()
  @Matches(/^\d{12}$/, { message: 'must be the twelve digits of an account' })
  @IsString()
  expectedBucketOwner?: string | null;

  @ApiPropertyOptional({
    ...oneOrNull(STORAGE_CLASSES),
    example: null,
    description: 'Null: the bucket’s default.',
  })
  @IfNotNull()
  @IsIn(STORAGE_CLASSES, oneOf(STORAGE_CLASSES))
  storageClass?: StorageClass | null;
}

/** The fields of `secret`. */
export class S3SecretFields {
  @ApiProperty({ writeOnly: true, example: '<access key id>', maxLength: 128 })
  @Length(1, 128)
  @IsString()
  accessKeyId!: string;

  @ApiProperty({ writeOnly: true, example: '<secret access key>', maxLength: 256 })
  @Length(1, 256)
  @IsString()
  secretAccessKey!: string;
}
