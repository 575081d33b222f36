import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A recorded completion. The driver returns `bigint` as text. */
@Entity('agent_data_source_job')
@Index('ix_agent_data_source_job_created', ['createdAt'])
export class CompletedJobEntity {
  /** First in the key, since a job id is unique only within its workspace. */
  @PrimaryColumn('text', { name: 'workspace_id', primaryKeyConstraintName: 'pk_agent_data_source_job' })
  workspaceId!: string;

  @PrimaryColumn('text', { name: 'job_id', primaryKeyConstraintName: 'pk_agent_data_source_job' })
  jobId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_agent_data_source_job' })
  run!: number;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('timestamptz', { name: 'completed_at' })
  completedAt!: Date;

  @Column('bigint')
  total!: string;

  @Column('bigint')
  matched!: string;

  @Column('bigint')
  unmatched!: string;

  /** The trace of the job. */
  @Column('text', { nullable: true })
  traceparent!: string | null;

  @Column('text', { nullable: true })
  tracestate!: string | null;

  /** When its automatic deliveries were created; null if only a manual push has recorded it. */
  @Column('timestamptz', { name: 'heard_at', nullable: true })
  heardAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
