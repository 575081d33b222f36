import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { MAX_PARTS } from '../../domain/body/payload-recipe.js';
import {
  type Compression,
  COMPRESSIONS,
  CSV_FORMULAS,
  type CsvFormulas,
  MAX_ROWS_PER_PUSH,
  PARQUET_CODECS,
  type ParquetCodec,
} from '../../domain/data-sink.js';
import { BODY_FIELDS, type BodyField } from '../../domain/job-completed.js';
import { IfDefined, IfNotNull, oneOf } from './optional-field.js';

const MIN_PUSHES_PER_SECOND = 0.01;
const MAX_PUSHES_PER_SECOND = 1_000;

/** What the `config` of every type of sink has: how its bodies are made, and how fast they go. */
export class BodySettingsFields {
  @ApiPropertyOptional({
    enum: COMPRESSIONS,
    example: 'none',
    description:
      'gzip sends the body compressed, with Content-Encoding; signatures cover the bytes as sent. Without it none. Not for PARQUET, whose pages are compressed.',
  })
  @IfDefined()
  @IsIn(COMPRESSIONS, oneOf(COMPRESSIONS))
  compression?: Compression;

  @ApiPropertyOptional({
    type: [String],
    enum: BODY_FIELDS,
    nullable: true,
    example: null,
    description:
      'The fields that each row is sent with, partnerRowId always among them, in the order of the payload. jobId, completedAt and run are the job’s, the same in every row. Null: the first four.',
  })
  @IfNotNull()
  @ArrayNotEmpty()
  @ArrayUnique()
  @ArrayMaxSize(BODY_FIELDS.length)
  @IsString({ each: true })
  @IsArray()
  includeFields?: BodyField[] | null;

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
    enum: CSV_FORMULAS,
    example: 'escape',
    description:
      'CSV only: escape puts an apostrophe before text that a spreadsheet would run as a formula; raw writes it as it is, for programs. Without it escape.',
  })
  @IfDefined()
  @IsIn(CSV_FORMULAS, oneOf(CSV_FORMULAS))
  csvFormulas?: CsvFormulas;

  @ApiPropertyOptional({
    enum: PARQUET_CODECS,
    example: 'snappy',
    description:
      'PARQUET only: how the pages of the file are compressed. gzip is smaller and slower. Without it snappy.',
  })
  @IfDefined()
  @IsIn(PARQUET_CODECS, oneOf(PARQUET_CODECS))
  parquetCodec?: ParquetCodec;
}
