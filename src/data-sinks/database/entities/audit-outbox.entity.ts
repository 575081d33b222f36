import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { AttemptErrorCode, AttemptStatus } from '../../domain/attempt.js';
import type { DeliveryReason, SettledStatus } from '../../domain/delivery.js';
import type { DeliveryTrigger } from '../../domain/trigger.js';

/** The end of a delivery that is not in the audit trail yet. */
@Entity('agent_data_source_audit_outbox')
export class AuditOutboxEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'pk_agent_data_source_audit_outbox',
  })
  seq!: string;

  @Column('timestamptz', { name: 'ended_at', default: () => 'now()' })
  endedAt!: Date;

  /** Until then a process is writing it into the trail. */
  @Column('timestamptz', { name: 'taken_until', nullable: true })
  takenUntil!: Date | null;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text', { name: 'data_source_id' })
  dataSourceId!: string;

  @Column('text', { name: 'delivery_id' })
  deliveryId!: string;

  @Column('text', { name: 'job_id' })
  jobId!: string;

  @Column('integer')
  run!: number;

  @Column('text')
  recipe!: string;

  @Column('text')
  trigger!: DeliveryTrigger;

  @Column('integer', { name: 'attempt_count' })
  attemptCount!: number;

  @Column('text')
  status!: SettledStatus;

  @Column('text', { nullable: true })
  reason!: DeliveryReason | null;

  @Column('text', { name: 'attempt_status', nullable: true })
  attemptStatus!: AttemptStatus | null;

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: AttemptErrorCode | null;

  @Column('smallint', { name: 'http_status', nullable: true })
  httpStatus!: number | null;
}
