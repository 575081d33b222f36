import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A completion we heard of. `bigint` columns come as text from the driver. */
@Entity('agent_data_source_job')
@Index('ix_agent_data_source_job_created', ['createdAt'])
export class CompletedJobEntity {
  @PrimaryColumn('text', { name: 'job_id', primaryKeyConstraintName: 'pk_agent_data_source_job' })
  jobId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_agent_data_source_job' })
  run!: number;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

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

  /** The trace that it belongs to. */
  @Column('text', { nullable: true })
  traceparent!: string | null;

  @Column('text', { nullable: true })
  tracestate!: string | null;

  /** When its automatic deliveries were made; null while it is known from a push by hand only. */
  @Column('timestamptz', { name: 'heard_at', nullable: true })
  heardAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
