import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RecoveryReason, RecoveryStatus } from '../../domain/recovery.js';

@Entity('agent_data_source_recovery')
@Index('uq_agent_data_source_recovery_running', ['dataSourceId'], { unique: true, where: "status = 'RUNNING'" })
@Index('ix_agent_data_source_recovery_unfinished', ['id'], { where: 'finished_at IS NULL' })
@Index('ix_agent_data_source_recovery_list', ['dataSourceId', 'id'])
export class RecoveryEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_recovery' })
  id!: string;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text', { name: 'data_source_id' })
  dataSourceId!: string;

  @Column('text')
  status!: RecoveryStatus;

  @Column('text', { nullable: true })
  reason!: RecoveryReason | null;

  @Column('timestamptz')
  since!: Date;

  @Column('timestamptz')
  until!: Date;

  @Column('integer')
  total!: number;

  @Column('integer', { default: 0 })
  redelivered!: number;

  /** Deliveries counted as ended so, as are the next two; an unfinished recovery may have more. */
  @Column('integer', { default: 0 })
  delivered!: number;

  @Column('integer', { default: 0 })
  failed!: number;

  @Column('integer', { default: 0 })
  cancelled!: number;

  @Column('text', { name: 'requested_by_type' })
  requestedByType!: string;

  @Column('text', { name: 'requested_by_id' })
  requestedById!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
