import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A worker process, from its boot to its end. */
@Entity('agent_data_source_worker')
export class WorkerEntity {
  /** Made anew at each boot: names and process ids are given again. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_worker' })
  id!: string;

  /** The option `workerId`. */
  @Column('text')
  name!: string;

  @Column('timestamptz', { name: 'started_at', default: () => 'now()' })
  startedAt!: Date;

  @Column('timestamptz', { name: 'seen_at', default: () => 'now()' })
  seenAt!: Date;

  /** The process of the database that answered its last heartbeat; null of an older version. */
  @Column('integer', { name: 'backend_pid', nullable: true })
  backendPid!: number | null;

  @Column('timestamptz', { name: 'backend_started_at', nullable: true })
  backendStartedAt!: Date | null;
}
