import { ApiProperty } from '@nestjs/swagger';
import { adviceOn, ATTEMPT_ADVICE } from '../../domain/attempt-advice.js';
import { ATTEMPT_ERROR_CODES } from '../../domain/attempt.js';
import { DATA_SINK_STATUSES, type DataSink, DISABLED_REASONS } from '../../domain/data-sink.js';
import { BOUNDED_COUNTS, boundedCounts, type LastError, type SinkHealth } from '../../domain/sink-health.js';
import { ApiObjectOrNull, oneOrNull } from './or-null.js';

const TIME = { type: String, format: 'date-time', nullable: true, example: '2026-05-25T12:34:56.000Z' } as const;
const MILLISECONDS = { type: Number, nullable: true, example: 84 } as const;

export class HealthWindowAnswer {
  @ApiProperty({ example: 120, description: 'Finished attempts; at most the last 10,000 are looked at.' })
  attempts!: number;

  @ApiProperty({ example: 119 })
  succeeded!: number;

  @ApiProperty({ type: Number, nullable: true, example: 0.992, description: 'From 0 to 1; null without attempts.' })
  successRate!: number | null;

  @ApiProperty(MILLISECONDS)
  p50Ms!: number | null;

  @ApiProperty(MILLISECONDS)
  p95Ms!: number | null;
}

export class LastErrorAnswer {
  @ApiProperty({ example: 'syn_01J5Z0000000000000000000AB' })
  attemptId!: string;

  @ApiProperty({ example: 'dlv_01J5Z0000000000000000000AB' })
  deliveryId!: string;

  @ApiProperty({ ...TIME, nullable: false })
  at!: Date;

  @ApiProperty({ ...oneOrNull(ATTEMPT_ERROR_CODES), example: 'receiver_error' })
  errorCode!: string | null;

  @ApiProperty({ type: Number, nullable: true, example: 503 })
  httpStatus!: number | null;

  @ApiProperty({ type: String, nullable: true, example: ATTEMPT_ADVICE.receiver_error.advice })
  advice!: string | null;
}

export class SinkHealthAnswer {
  @ApiProperty({ enum: DATA_SINK_STATUSES })
  status!: string;

  @ApiProperty({ ...oneOrNull(DISABLED_REASONS), example: null })
  disabledReason!: string | null;

  @ApiProperty({ ...TIME, example: null })
  disabledAt!: Date | null;

  @ApiProperty({ example: 0, description: 'Attempts since the last one that succeeded, at most 1,000.' })
  consecutiveFailures!: number;

  @ApiProperty({ type: HealthWindowAnswer })
  lastHour!: HealthWindowAnswer;

  @ApiProperty({ type: HealthWindowAnswer })
  last24Hours!: HealthWindowAnswer;

  @ApiObjectOrNull(LastErrorAnswer, { description: 'Of the last 1,000 attempts.' })
  lastError!: LastErrorAnswer | null;

  @ApiProperty({ example: 0, description: 'Deliveries that wait, at most 100,000.' })
  waiting!: number;

  @ApiProperty({ ...MILLISECONDS, example: null, description: 'For how long the oldest of them has been due.' })
  oldestDueMs!: number | null;

  @ApiProperty({
    enum: BOUNDED_COUNTS,
    isArray: true,
    example: [],
    description: 'Which of these counts have come to their bounds: there may be more than they say.',
  })
  capped!: readonly string[];
}

export function toSinkHealthAnswer(sink: DataSink, { lastError, ...health }: SinkHealth): SinkHealthAnswer {
  const { status, disabledReason, disabledAt } = sink;
  const capped = boundedCounts({ ...health, lastError });
  return { status, disabledReason, disabledAt, ...health, lastError: lastError && toLastError(lastError), capped };
}

function toLastError({ bytes, ...error }: LastError): LastErrorAnswer {
  const { errorCode, httpStatus } = error;
  return { ...error, advice: errorCode && adviceOn(errorCode, { httpStatus, bytes }).advice };
}
