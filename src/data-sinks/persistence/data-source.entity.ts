import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, VirtualColumn } from 'typeorm';
import type {
  DataSinkStatus,
  DataSinkType,
  DataSourceRole,
  DisabledReason,
  HttpsWebhookConfig,
  PayloadFormat,
} from '../core/data-sink.js';

@Entity('agent_data_source')
@Index('ix_agent_data_source_agent', ['agentId', 'id'], { where: 'deleted_at IS NULL' })
@Index('ix_agent_data_source_workspace', ['workspaceId'], { where: 'deleted_at IS NULL' })
@Index('ix_agent_data_source_overlap', ['previousSecretExpiresAt'], { where: 'previous_secret_expires_at IS NOT NULL' })
export class DataSourceEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source' })
  id!: string;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text')
  role!: DataSourceRole;

  @Column('text')
  type!: DataSinkType;

  @Column('text')
  name!: string;

  @Column('jsonb')
  config!: HttpsWebhookConfig;

  @Column('text')
  format!: PayloadFormat;

  @Column('text')
  status!: DataSinkStatus;

  @Column('text', { name: 'disabled_reason', nullable: true })
  disabledReason!: DisabledReason | null;

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;

  /** Failures of before count no more towards disabling it. */
  @Column('timestamptz', { name: 'reactivated_at', nullable: true })
  reactivatedAt!: Date | null;

  /** Attempts that found the receiver down since one last got an answer of it. */
  @Column('integer', { name: 'failures_in_row', default: 0 })
  failuresInRow!: number;

  /** Nothing is claimed until then; once that is over, one delivery at a time until one finds the receiver up. */
  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil!: Date | null;

  /** For a sink with a rate: from when on its allowance has been adding up. */
  @Column('timestamptz', { name: 'paced_from', nullable: true })
  pacedFrom!: Date | null;

  @Column('timestamptz', { name: 'tested_at', nullable: true })
  testedAt!: Date | null;

  /** Its configuration's version then. */
  @Column('integer', { name: 'tested_version', nullable: true })
  testedVersion!: number | null;

  @Column('boolean', { name: 'test_passed', nullable: true })
  testPassed!: boolean | null;

  @Column('integer', { name: 'config_version', default: 1 })
  configVersion!: number;

  @Column('text', { name: 'secret_id' })
  secretId!: string;

  @Column('text', { name: 'secret_hint', nullable: true })
  secretHint!: string | null;

  @Column('timestamptz', { name: 'secret_created_at' })
  secretCreatedAt!: Date;

  /** Until the overlap of the last rotation is over and the sweeper has been there. */
  @Column('text', { name: 'previous_secret_id', nullable: true })
  previousSecretId!: string | null;

  @Column('text', { name: 'previous_secret_hint', nullable: true })
  previousSecretHint!: string | null;

  @Column('timestamptz', { name: 'previous_secret_expires_at', nullable: true })
  previousSecretExpiresAt!: Date | null;

  /** When the host was told that it ends: once per rotation. */
  @Column('timestamptz', { name: 'previous_secret_told_at', nullable: true })
  previousSecretToldAt!: Date | null;

  /** Whether it still signs. Asked of the database, whose clock decides; the sweeper may be late. */
  @VirtualColumn('bool', { query: (sink) => `SELECT coalesce(${sink}.previous_secret_expires_at > now(), false)` })
  isOverlapping!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
