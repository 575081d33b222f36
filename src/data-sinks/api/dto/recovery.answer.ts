import { ApiProperty } from '@nestjs/swagger';
import type { DataSink } from '../../domain/data-sink.js';
import { type Recovery, RECOVERY_REASONS, RECOVERY_STATUSES } from '../../domain/recovery.js';
import type { RecoverySurvey } from '../../domain/recovery.js';
import { oneOrNull } from './or-null.js';

const TIME = { type: String, format: 'date-time', example: '2026-05-25T12:34:56.000Z' } as const;
const RECOVERY_ID = 'rcv_01J5Z0000000000000000000AB';

export class RequesterAnswer {
  @ApiProperty({ example: 'token' })
  type!: string;

  @ApiProperty({ example: 'tok_01J5Z0000000000000000000AB' })
  id!: string;
}

export class RecoveryAnswer {
  @ApiProperty({ example: RECOVERY_ID })
  id!: string;

  @ApiProperty({ example: 'agt_01J5Z0000000000000000000AB' })
  agentId!: string;

  @ApiProperty({ example: 'ads_01J5Z0000000000000000000AB' })
  dataSourceId!: string;

  @ApiProperty({ enum: RECOVERY_STATUSES })
  status!: string;

  @ApiProperty({
    ...oneOrNull(RECOVERY_REASONS),
    example: null,
    description: 'Why it was cancelled: somebody asked for it, or nothing may be sent any more.',
  })
  reason!: string | null;

  @ApiProperty({
    example: false,
    description: 'It is running, and its sink is DISABLED: it goes on when that is over.',
  })
  paused!: boolean;

  @ApiProperty(TIME)
  since!: Date;

  @ApiProperty({ ...TIME, example: '2026-05-25T18:00:00.000Z' })
  until!: Date;

  @ApiProperty({ example: 137, description: 'Deliveries that had failed in this time when it was asked for.' })
  total!: number;

  @ApiProperty({
    example: 64,
    description: 'Made due so far. Those that were redelivered by hand meanwhile never are.',
  })
  redelivered!: number;

  @ApiProperty({ example: 20, description: 'Of those made due: delivered.' })
  delivered!: number;

  @ApiProperty({ example: 1, description: 'Of those made due: failed again.' })
  failed!: number;

  @ApiProperty({ example: 0, description: 'Of those made due: cancelled.' })
  cancelled!: number;

  @ApiProperty({ example: 43, description: 'Of those made due: still waiting or being sent.' })
  waiting!: number;

  @ApiProperty({ type: RequesterAnswer })
  requestedBy!: RequesterAnswer;

  @ApiProperty(TIME)
  createdAt!: Date;

  @ApiProperty({
    ...TIME,
    nullable: true,
    example: null,
    description: 'When the last of those made due had ended, of one that was cancelled too.',
  })
  finishedAt!: Date | null;
}

export class RecoveryPreviewAnswer {
  @ApiProperty(TIME)
  since!: Date;

  @ApiProperty({ ...TIME, example: '2026-05-25T18:00:00.000Z' })
  until!: Date;

  @ApiProperty({ example: 137, description: 'Deliveries that failed in this time and would be tried once more.' })
  deliveries!: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The recovery that has to end first.' })
  runningRecoveryId!: string | null;
}

export function toRecoveryAnswer(sink: Pick<DataSink, 'status'>): (recovery: Recovery) => RecoveryAnswer {
  return ({ workspaceId: _workspace, ...recovery }) => ({
    ...recovery,
    paused: recovery.status === 'RUNNING' && sink.status === 'DISABLED',
  });
}

export function toRecoveryPreviewAnswer(since: Date, survey: RecoverySurvey): RecoveryPreviewAnswer {
  const { until, failed, runningId } = survey;
  return { since, until, deliveries: failed, runningRecoveryId: runningId };
}
