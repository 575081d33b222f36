import { ApiProperty } from '@nestjs/swagger';
import { adviceOn } from '../../domain/attempt-advice.js';
import { ANSWER_ENDINGS, type Attempt, ATTEMPT_ERROR_CODES, ATTEMPT_STATUSES } from '../../domain/attempt.js';
import {
  AUTH_SCHEMES,
  COMPRESSIONS,
  CSV_FORMULAS,
  FORMAT_DEFAULTS,
  PARQUET_CODECS,
  PAYLOAD_FORMATS,
} from '../../domain/data-sink.js';
import { DELIVERY_TRIGGERS } from '../../domain/trigger.js';
import { WORKER_NUMBERS, workerNumber } from '../../domain/worker-number.js';
import { type Delivery, DELIVERY_REASONS, DELIVERY_STATUSES } from '../../domain/delivery.js';
import { BODY_FIELDS } from '../../domain/job-completed.js';
import { ApiObjectOrNull, oneOrNull } from './or-null.js';

const TIME = { type: String, format: 'date-time', example: '2026-05-25T12:34:56.000Z' } as const;
const MILLISECONDS = { type: Number, nullable: true, example: 12 } as const;

export class PayloadAnswer {
  @ApiProperty({ example: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' })
  sha256!: string;

  @ApiProperty({ example: 1_412_345 })
  bytes!: number;

  @ApiProperty({ example: 12_000 })
  rows!: number;

  @ApiProperty({
    example: false,
    description: 'Whether the first body had expired and this one was made again from the results.',
  })
  rebuilt!: boolean;

  @ApiProperty({
    type: Boolean,
    nullable: true,
    example: null,
    description: 'Whether the body made again has the SHA-256 of the one before.',
  })
  sameAsBefore!: boolean | null;
}

export class TimingsAnswer {
  @ApiProperty({ ...MILLISECONDS, description: 'Resolving the name.' })
  dnsMs!: number | null;

  @ApiProperty({ ...MILLISECONDS, description: 'Connecting; null on a connection that was open already.' })
  connectMs!: number | null;

  @ApiProperty(MILLISECONDS)
  tlsMs!: number | null;

  @ApiProperty(MILLISECONDS)
  uploadMs!: number | null;

  @ApiProperty({ ...MILLISECONDS, description: 'From the end of the upload to the answer.' })
  waitMs!: number | null;

  @ApiProperty({ example: 84 })
  totalMs!: number;
}

export class ManifestEntryAnswer {
  @ApiProperty({ example: 'incoming/job-job_01J5Z0000000000000000000AB.jsonl' })
  key!: string;

  @ApiProperty({ type: 'integer', example: 1482 })
  size!: number;

  @ApiProperty({ enum: ['written', 'already_there', 'already_there_uncompared', 'sent', 'not_written'] })
  status!: string;

  @ApiProperty({ example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' })
  sha256!: string;

  @ApiProperty({ type: String, nullable: true, example: 'd41d8cd98f00b204e9800998ecf8427e' })
  etag!: string | null;
}

export class AttemptAnswer {
  @ApiProperty({ example: 'syn_01J5Z0000000000000000000AB' })
  id!: string;

  @ApiProperty({ example: 'dlv_01J5Z0000000000000000000AB' })
  deliveryId!: string;

  @ApiProperty({ example: 'job_01J5Z0000000000000000000AB' })
  jobId!: string;

  @ApiProperty({ example: 1, description: 'From 1; goes on through redeliveries.' })
  attemptNumber!: number;

  @ApiProperty({ enum: DELIVERY_TRIGGERS })
  trigger!: string;

  @ApiProperty({ enum: ATTEMPT_STATUSES })
  status!: string;

  @ApiProperty({ ...oneOrNull(ATTEMPT_ERROR_CODES), example: null })
  errorCode!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'What happened and what to do about it.' })
  advice!: string | null;

  @ApiProperty({ type: Number, nullable: true, example: 200 })
  httpStatus!: number | null;

  @ApiProperty({ example: 'https://internal.acme.com/mapping-results' })
  url!: string;

  @ApiProperty({
    example: 'HmacSha256',
    description: `How it proved where it comes from: ${AUTH_SCHEMES.join(', ')}, or AwsSigV4 for S3.`,
  })
  authScheme!: string;

  @ApiProperty({ example: 1 })
  configVersion!: number;

  @ApiProperty({
    ...{ type: 'integer', minimum: 1, maximum: WORKER_NUMBERS, example: 4242 },
    description: 'A number of the process that made it: attempts of one process have the same.',
  })
  worker!: number;

  @ApiProperty(TIME)
  startedAt!: Date;

  @ApiProperty({ ...TIME, nullable: true })
  finishedAt!: Date | null;

  @ApiObjectOrNull(TimingsAnswer)
  timings!: TimingsAnswer | null;

  @ApiProperty({
    type: [ManifestEntryAnswer],
    nullable: true,
    example: null,
    description: 'S3: what became of each object. Null for a webhook, and where the attempt broke off.',
  })
  manifestJson!: readonly ManifestEntryAnswer[] | null;

  @ApiProperty({ type: String, nullable: true, example: 'ok', description: 'The first 16 KB of the answer.' })
  answerExcerpt!: string | null;

  @ApiProperty({ ...oneOrNull(ANSWER_ENDINGS) })
  answerEnding!: string | null;
}

export class PartAnswer {
  @ApiProperty({ example: 3, description: 'From 1.' })
  number!: number;

  @ApiProperty({ example: 12 })
  of!: number;
}

export class DeliveryAnswer {
  @ApiProperty({ example: 'dlv_01J5Z0000000000000000000AB' })
  id!: string;

  @ApiProperty({ example: 'agt_01J5Z0000000000000000000AB' })
  agentId!: string;

  @ApiProperty({ example: 'ads_01J5Z0000000000000000000AB' })
  dataSourceId!: string;

  @ApiProperty({ example: 'job_01J5Z0000000000000000000AB' })
  jobId!: string;

  @ApiProperty({ example: 1, description: 'Which completion of the job.' })
  run!: number;

  @ApiProperty({
    enum: PAYLOAD_FORMATS,
    description: 'As the sink had it when the delivery was made; so the next four.',
  })
  format!: string;

  @ApiProperty({ enum: COMPRESSIONS })
  compression!: string;

  @ApiProperty({
    type: [String],
    enum: BODY_FIELDS,
    nullable: true,
    example: null,
    description: 'Null: the first four.',
  })
  includeFields!: readonly string[] | null;

  @ApiProperty({ ...oneOrNull(CSV_FORMULAS), example: null, description: 'Null unless the format is CSV.' })
  csvFormulas!: string | null;

  @ApiProperty({ ...oneOrNull(PARQUET_CODECS), example: null, description: 'Null unless the format is PARQUET.' })
  parquetCodec!: string | null;

  @ApiObjectOrNull(PartAnswer, {
    description: 'Which part of the job it carries; null when the job is pushed in one piece.',
  })
  part!: PartAnswer | null;

  @ApiProperty({ enum: DELIVERY_TRIGGERS, description: 'What asked for the last attempts.' })
  trigger!: string;

  @ApiProperty({ enum: DELIVERY_STATUSES })
  status!: string;

  @ApiProperty({ ...oneOrNull(DELIVERY_REASONS), example: null })
  reason!: string | null;

  @ApiProperty({ example: 1 })
  attemptCount!: number;

  @ApiProperty({ example: 2 })
  retriesAllowed!: number;

  @ApiProperty({ example: 0 })
  retriesSpent!: number;

  @ApiProperty({ ...TIME, nullable: true, description: 'Null also for a last part that waits for the others.' })
  nextAttemptAt!: Date | null;

  @ApiProperty({ ...oneOrNull(ATTEMPT_STATUSES) })
  lastAttemptStatus!: string | null;

  @ApiProperty({ ...oneOrNull(ATTEMPT_ERROR_CODES), example: null })
  lastErrorCode!: string | null;

  @ApiObjectOrNull(PayloadAnswer, { description: 'Null until the body was made.' })
  payload!: PayloadAnswer | null;

  @ApiProperty(TIME)
  createdAt!: Date;

  @ApiProperty({ ...TIME, nullable: true })
  settledAt!: Date | null;
}

export class DeliveryWithAttemptsAnswer extends DeliveryAnswer {
  @ApiProperty({ type: [AttemptAnswer], description: 'The last 100, newest first.' })
  attempts!: readonly AttemptAnswer[];
}

export function toDeliveryAnswer({ recipe, ...delivery }: Delivery): DeliveryAnswer {
  const { workspaceId: _workspace, updatedAt: _updated, ...answer } = delivery;
  const { format, compression, fields, split } = recipe;
  const part = split && { number: split.number, of: split.of };
  const csvFormulas = format === 'CSV' ? (recipe.csvFormulas ?? FORMAT_DEFAULTS.csvFormulas) : null;
  const parquetCodec = format === 'PARQUET' ? (recipe.parquetCodec ?? FORMAT_DEFAULTS.parquetCodec) : null;
  return { ...answer, format, compression, includeFields: fields, csvFormulas, parquetCodec, part };
}

export function toAttemptAnswer(attempt: Attempt): AttemptAnswer {
  const { workspaceId: _workspace, agentId: _agent, dataSourceId: _sink, ...rest } = attempt;
  const { payloadSha256: _sha256, payloadBytes: bytes, workerId, manifest, ...answer } = rest;
  const { errorCode, httpStatus } = attempt;
  return {
    ...answer,
    manifestJson: manifest,
    worker: workerNumber(workerId),
    advice: errorCode && adviceOn(errorCode, { httpStatus, bytes, excerpt: attempt.answerExcerpt }).advice,
  };
}
