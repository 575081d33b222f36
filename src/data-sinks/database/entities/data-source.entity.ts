import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, VirtualColumn } from 'typeorm';
import type {
  DataSinkStatus,
  DataSinkType,
  DataSourceRole,
  DisabledReason,
  PayloadFormat,
  SinkConfig,
} from '../../domain/data-sink.js';

@Entity('agent_data_source')
@Index('ix_agent_data_source_location', ['workspaceId', 'location'], { unique: true, where: 'deleted_at IS NULL' })
@Index('ix_agent_data_source_tested', ['workspaceId'], { where: "recent_tests <> '{}'" })
@Index('ix_agent_data_source_agent', ['agentId', 'id'], { where: 'deleted_at IS NULL' })
@Index('ix_agent_data_source_workspace', ['workspaceId'], { where: 'deleted_at IS NULL' })
@Index('ix_agent_data_source_history', ['workspaceId', 'agentId', 'id'])
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
  config!: SinkConfig;

  /** The place that no other sink of the workspace may have; null where there is no such thing. */
  @Column('text', { nullable: true })
  location!: string | null;

  /** Its Tests of the last minute, and older ones until the next. */
  @Column('timestamptz', { name: 'recent_tests', array: true, default: '{}', select: false })
  recentTests!: Date[];

  @Column('text')
  format!: PayloadFormat;

  @Column('text')
  status!: DataSinkStatus;

  @Column('text', { name: 'disabled_reason', nullable: true })
  disabledReason!: DisabledReason | null;

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;

  /** Earlier failures no longer count towards disabling it. */
  @Column('timestamptz', { name: 'reactivated_at', nullable: true })
  reactivatedAt!: Date | null;

  /** Consecutive attempts that found the receiver down. */
  @Column('integer', { name: 'failures_in_row', default: 0 })
  failuresInRow!: number;

  /**
   * While the circuit breaker is open, nothing new is claimed; afterwards one delivery at a time until the receiver
   * responds.
   */
  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil!: Date | null;

  /** For a sink with a rate: since when its allowance has accumulated. */
  @Column('timestamptz', { name: 'paced_from', nullable: true })
  pacedFrom!: Date | null;

  @Column('timestamptz', { name: 'tested_at', nullable: true })
  testedAt!: Date | null;

  /** Version of the configuration that was tested. */
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

  /** Set until the overlap of the last rotation has ended and the sweeper has run. */
  @Column('text', { name: 'previous_secret_id', nullable: true })
  previousSecretId!: string | null;

  @Column('text', { name: 'previous_secret_hint', nullable: true })
  previousSecretHint!: string | null;

  @Column('timestamptz', { name: 'previous_secret_expires_at', nullable: true })
  previousSecretExpiresAt!: Date | null;

  /** When the host was notified of its end, once per rotation. */
  @Column('timestamptz', { name: 'previous_secret_told_at', nullable: true })
  previousSecretToldAt!: Date | null;

  /** Whether it still signs, by the database's clock; the sweeper may be late. */
  @VirtualColumn('bool', { query: (sink) => `SELECT coalesce(${sink}.previous_secret_expires_at > now(), false)` })
  isOverlapping!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
