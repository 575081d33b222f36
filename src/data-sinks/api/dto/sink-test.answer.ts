import { ApiProperty } from '@nestjs/swagger';
import { EXCHANGE_STEPS } from '../../domain/attempt-advice.js';
import { ANSWER_ENDINGS, ATTEMPT_ERROR_CODES, ATTEMPT_STATUSES } from '../../domain/attempt.js';
import { TimingsAnswer } from './delivery.answer.js';
import { ApiObjectOrNull, oneOrNull } from './or-null.js';

export class SentAnswer {
  @ApiProperty({ example: 'POST' })
  method!: string;

  @ApiProperty({ example: 'https://internal.acme.com/mapping-results' })
  url!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'X-MT-Signature': 'sha256=…', 'X-MT-Delivery-Id': 'dlv_01J5Z000000000000000000TEST' },
  })
  headers!: Readonly<Record<string, string>>;

  @ApiProperty({
    example: '{"jobId":"job_0000000000000000000000TEST",…,"test":true}',
    description: 'Where it was sent with gzip, the text before that; of PARQUET its rows as lines of JSON.',
  })
  body!: string;
}

export class ReceivedAnswer {
  @ApiProperty({ example: 200 })
  httpStatus!: number;

  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: { type: 'string' } },
    example: [['content-type', 'text/plain']],
  })
  headers!: readonly (readonly [string, string])[];

  @ApiProperty({ example: 'ok', description: 'The first 16 KB. Text from outside: escape it.' })
  excerpt!: string;

  @ApiProperty({ enum: ANSWER_ENDINGS })
  ending!: string;
}

export class ProbeStepAnswer {
  @ApiProperty({ example: 'condition' })
  name!: string;

  @ApiProperty({ type: Boolean, nullable: true, example: true, description: 'Null where it does not matter.' })
  passed!: boolean | null;

  @ApiProperty({ example: 'a second write of the same object was refused' })
  detail!: string;
}

export class SinkTestAnswer {
  @ApiProperty({ example: true })
  passed!: boolean;

  @ApiProperty({ example: false, description: 'Whether it made a disabled data sink active again.' })
  reactivated!: boolean;

  @ApiProperty({ enum: ATTEMPT_STATUSES })
  status!: string;

  @ApiProperty({ ...oneOrNull(ATTEMPT_ERROR_CODES), example: null })
  errorCode!: string | null;

  @ApiProperty({ ...oneOrNull(EXCHANGE_STEPS), example: null, description: 'The step at which it failed.' })
  failedStep!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'What to do about it.' })
  advice!: string | null;

  @ApiProperty({ type: TimingsAnswer })
  timings!: TimingsAnswer;

  @ApiProperty({ type: [ProbeStepAnswer], example: [], description: 'S3: what was tried, in order.' })
  steps!: readonly ProbeStepAnswer[];

  @ApiProperty({ type: String, nullable: true, example: null, description: 'S3: the smallest policy that is enough.' })
  policy!: string | null;

  @ApiProperty({ type: SentAnswer })
  sent!: SentAnswer;

  @ApiObjectOrNull(ReceivedAnswer)
  received!: ReceivedAnswer | null;
}
