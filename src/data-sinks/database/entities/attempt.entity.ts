import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { AnswerEnding, AttemptErrorCode, AttemptStatus, ManifestEntry } from '../../domain/attempt.js';
import type { DeliveryTrigger } from '../../domain/trigger.js';

/** One row per attempt, under the platform's name for it. Partitioned by month on `started_at`. */
@Entity('agent_data_source_sync')
@Index('ix_agent_data_source_sync_delivery', ['deliveryId', 'attemptNumber'])
@Index('ix_agent_data_source_sync_list', ['dataSourceId', 'id'])
@Index('ix_agent_data_source_sync_leftover', ['dataSourceId', 'id'], { where: 'leftover IS NOT NULL' })
export class AttemptEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_sync' })
  id!: string;

  @PrimaryColumn('timestamptz', {
    name: 'started_at',
    default: () => 'now()',
    primaryKeyConstraintName: 'pk_agent_data_source_sync',
  })
  startedAt!: Date;

  @Column('text', { name: 'delivery_id' })
  deliveryId!: string;

  @Column('text', { name: 'data_source_id' })
  dataSourceId!: string;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text', { name: 'job_id' })
  jobId!: string;

  @Column('integer', { name: 'attempt_number' })
  attemptNumber!: number;

  @Column('text')
  trigger!: DeliveryTrigger;

  @Column('text')
  status!: AttemptStatus;

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: AttemptErrorCode | null;

  @Column('smallint', { name: 'http_status', nullable: true })
  httpStatus!: number | null;

  @Column('text')
  url!: string;

  @Column('text', { name: 'auth_scheme' })
  authScheme!: string;

  @Column('integer', { name: 'config_version' })
  configVersion!: number;

  @Column('bytea', { name: 'payload_sha256' })
  payloadSha256!: Buffer;

  @Column('bigint', { name: 'payload_bytes' })
  payloadBytes!: string;

  @Column('text', { name: 'worker_id' })
  workerId!: string;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('integer', { name: 'dns_ms', nullable: true })
  dnsMs!: number | null;

  @Column('integer', { name: 'connect_ms', nullable: true })
  connectMs!: number | null;

  @Column('integer', { name: 'tls_ms', nullable: true })
  tlsMs!: number | null;

  @Column('integer', { name: 'upload_ms', nullable: true })
  uploadMs!: number | null;

  @Column('integer', { name: 'wait_ms', nullable: true })
  waitMs!: number | null;

  @Column('integer', { name: 'total_ms', nullable: true })
  totalMs!: number | null;

  @Column('text', { name: 'answer_excerpt', nullable: true })
  answerExcerpt!: string | null;

  @Column('text', { name: 'answer_ending', nullable: true })
  answerEnding!: AnswerEnding | null;

  /** What became of the objects that it wrote. */
  @Column('jsonb', { name: 'manifest_json', nullable: true })
  manifest!: readonly ManifestEntry[] | null;

  /** What is to be removed at the destination, should its process have died. */
  @Column('jsonb', { nullable: true })
  leftover!: Readonly<Record<string, unknown>> | null;
}
