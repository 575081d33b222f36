import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  DATA_SINK_STATUSES,
  DATA_SOURCE_ROLES,
  DISABLED_REASONS,
  type DataSink,
  PAYLOAD_FORMATS,
  SETTINGS_OF_OLDER_SINKS,
} from '../../domain/data-sink.js';
import { configSchema } from './by-type.js';
import { DataSourceConfigBody } from './data-source-config.body.js';
import { ApiObjectOrNull, oneOrNull } from './or-null.js';

export class SecretAnswer {
  @ApiProperty({
    type: String,
    nullable: true,
    example: '****1234',
    description: 'Null when the secret is shorter than 16. Of a secret of several values, each by its name.',
  })
  hint!: string | null;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:00:00.000Z' })
  createdAt!: Date;
}

export class PreviousSecretAnswer {
  @ApiProperty({ type: String, nullable: true, example: '****9876' })
  hint!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    example: '2026-05-26T12:00:00.000Z',
    description: 'From then on nothing is signed with it.',
  })
  expiresAt!: Date;
}

export class LastTestAnswer {
  @ApiProperty({ example: true })
  passed!: boolean;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:00:00.000Z' })
  at!: Date;

  @ApiProperty({ example: true, description: 'False when the data source was changed since.' })
  isCurrent!: boolean;
}

export class DataSourceAnswer {
  @ApiProperty({ example: 'ads_01J5Z0000000000000000000AB' })
  id!: string;

  @ApiProperty({ example: 'agt_01J5Z0000000000000000000AB' })
  agentId!: string;

  @ApiProperty({ enum: DATA_SOURCE_ROLES })
  role!: string;

  @ApiProperty({ example: 'HTTPS_WEBHOOK' })
  type!: string;

  @ApiProperty({ example: 'Internal BI ingest' })
  name!: string;

  @ApiProperty(configSchema(DataSourceConfigBody))
  config!: object;

  @ApiProperty({ enum: PAYLOAD_FORMATS })
  format!: string;

  @ApiProperty({ enum: DATA_SINK_STATUSES })
  status!: string;

  @ApiProperty({
    ...oneOrNull(DISABLED_REASONS),
    example: null,
    description:
      'Why it was disabled: five deliveries failed in a row, with none delivered between them, the first at least an ' +
      'hour ago; or at once by a 410. A Test that passes, or the status ACTIVE, makes it active again.',
  })
  disabledReason!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  disabledAt!: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: null,
    description:
      'While its receiver is down: until then deliveries that were not tried wait, afterwards they go one at a time until one is answered. A Test that passes ends it.',
  })
  pausedUntil!: Date | null;

  @ApiObjectOrNull(LastTestAnswer, { description: 'Null when it was never tested.' })
  lastTest!: LastTestAnswer | null;

  @ApiProperty({ example: 1, description: 'Goes up with every change; each attempt says which one it used.' })
  configVersion!: number;

  @ApiProperty({ type: SecretAnswer })
  secret!: SecretAnswer;

  @ApiObjectOrNull(PreviousSecretAnswer, {
    description: 'The secret before, while the overlap of a rotation lasts: pushes are signed with both.',
  })
  previousSecret!: PreviousSecretAnswer | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description:
      'Of a sink that writes with a role: the trust policy that the role needs, to copy. Null where there is no such thing.',
  })
  trustPolicy!: string | null;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:00:00.000Z' })
  createdAt!: Date;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-05-25T12:00:00.000Z' })
  updatedAt!: Date;
}

export class SavedSecretAnswer extends SecretAnswer {
  @ApiPropertyOptional({
    example: '<shown once, when it was made by us>',
    description: 'Only in the answer that created it, and only when it was made by us.',
  })
  value?: string;
}

export class SavedDataSourceAnswer extends DataSourceAnswer {
  @ApiProperty({ type: SavedSecretAnswer })
  declare secret: SavedSecretAnswer;

  @ApiProperty({ type: [String], example: [], description: 'What works but had better be otherwise.' })
  warnings!: readonly string[];
}

export function toDataSourceAnswer(sink: DataSink, trustPolicy: string | null): DataSourceAnswer {
  const { id, agentId, role, type, name, config, format, status, configVersion, createdAt, updatedAt } = sink;
  const { secret, previousSecret } = sink;
  return {
    ...{ id, agentId, role, type, name },
    config: { ...SETTINGS_OF_OLDER_SINKS[type], ...config },
    ...{ format, status, disabledReason: sink.disabledReason, disabledAt: sink.disabledAt, configVersion },
    ...{ pausedUntil: sink.pausedUntil, lastTest: sink.lastTest },
    secret: { hint: secret.hint, createdAt: secret.createdAt },
    previousSecret: previousSecret && { hint: previousSecret.hint, expiresAt: previousSecret.expiresAt },
    ...{ trustPolicy, createdAt, updatedAt },
  };
}
