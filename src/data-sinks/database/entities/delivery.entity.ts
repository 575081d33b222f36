import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { AttemptErrorCode, AttemptStatus } from '../../domain/attempt.js';
import type { PayloadFormat } from '../../domain/data-sink.js';
import type { DeliveryTrigger } from '../../domain/trigger.js';
import type { DeliveryReason, DeliveryStatus } from '../../domain/delivery.js';
import { CompletedJobEntity } from './completed-job.entity.js';

/** The outbox and the queue. Its hot statements are in `queue/claim.sql.ts` and `delivery/attempt.sql.ts`. */
@Entity('agent_data_source_delivery')
@Index('uq_agent_data_source_delivery_part', ['workspaceId', 'jobId', 'dataSourceId', 'run', 'part'], { unique: true })
@Index('ix_agent_data_source_delivery_waiting', ['workspaceId', 'dataSourceId', 'status', 'nextAttemptAt'], {
  where: "status IN ('PENDING', 'RETRYING')",
})
@Index('ix_agent_data_source_delivery_due', ['nextAttemptAt'], {
  where: "status IN ('PENDING', 'RETRYING') AND next_attempt_at IS NOT NULL",
})
@Index('ix_agent_data_source_delivery_sending', ['workspaceId', 'dataSourceId'], {
  where: "status = 'IN_FLIGHT'",
})
@Index('ix_agent_data_source_delivery_own_failures', ['ownFailingSince'], {
  where: "own_failures > 0 AND status IN ('PENDING', 'RETRYING')",
})
@Index('ix_agent_data_source_delivery_dead', ['dataSourceId', 'settledAt'], { where: "status = 'FAILED'" })
@Index('ix_agent_data_source_delivery_recovery', ['recoveryId', 'status'], { where: 'recovery_id IS NOT NULL' })
@Index('ix_agent_data_source_delivery_list', ['dataSourceId', 'id'])
@ForeignKey(() => CompletedJobEntity, ['workspaceId', 'jobId', 'run'], ['workspaceId', 'jobId', 'run'], {
  name: 'fk_agent_data_source_delivery_job',
})
@Index('ix_agent_data_source_delivery_body', ['workspaceId', 'jobId', 'recipe'], { where: 'part_count > 1' })
export class DeliveryEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_delivery' })
  id!: string;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text', { name: 'data_source_id' })
  dataSourceId!: string;

  @Column('text', { name: 'job_id' })
  jobId!: string;

  @Column('integer')
  run!: number;

  @Column('text')
  format!: PayloadFormat;

  /** The recipe's name (`domain/body/payload-recipe.ts`), fixed when the delivery is created. */
  @Column('text', { default: 'JSON' })
  recipe!: string;

  /** From 1. A job pushed as one body has one part. */
  @Column('integer', { default: 1 })
  part!: number;

  @Column('integer', { name: 'part_count', default: 1 })
  partCount!: number;

  @Column('text')
  trigger!: DeliveryTrigger;

  @Column('text')
  status!: DeliveryStatus;

  @Column('text', { nullable: true })
  reason!: DeliveryReason | null;

  @Column('integer', { name: 'attempt_count', default: 0 })
  attemptCount!: number;

  @Column('smallint', { name: 'retries_allowed' })
  retriesAllowed!: number;

  @Column('smallint', { name: 'retries_spent', default: 0 })
  retriesSpent!: number;

  @Column('smallint', { name: 'own_failures', default: 0 })
  ownFailures!: number;

  /** When the first of those was; counts while there are any. */
  @Column('timestamptz', { name: 'own_failing_since', nullable: true })
  ownFailingSince!: Date | null;

  @Column('smallint', { default: 0 })
  abandoned!: number;

  @Column('timestamptz', { name: 'next_attempt_at', nullable: true })
  nextAttemptAt!: Date | null;

  @Column('uuid', { name: 'lease_token', nullable: true })
  leaseToken!: string | null;

  @Column('timestamptz', { name: 'lease_expires_at', nullable: true })
  leaseExpiresAt!: Date | null;

  @Column('text', { name: 'last_attempt_status', nullable: true })
  lastAttemptStatus!: AttemptStatus | null;

  @Column('text', { name: 'last_error_code', nullable: true })
  lastErrorCode!: AttemptErrorCode | null;

  @Column('bytea', { name: 'payload_sha256', nullable: true })
  payloadSha256!: Buffer | null;

  @Column('bigint', { name: 'payload_bytes', nullable: true })
  payloadBytes!: string | null;

  @Column('bigint', { name: 'payload_rows', nullable: true })
  payloadRows!: string | null;

  /** The body sent last; it changes when a body is rebuilt after it expired. */
  @Column('text', { name: 'payload_body_id', nullable: true })
  payloadBodyId!: string | null;

  /** SHA-256 of the body before the rebuilt one; null when there is only one. */
  @Column('bytea', { name: 'payload_previous_sha256', nullable: true })
  payloadPreviousSha256!: Buffer | null;

  /** The recovery that requested its last attempt, or null. */
  @Column('text', { name: 'recovery_id', nullable: true })
  recoveryId!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null;
}
