import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The body of one job and recipe; its bytes are the chunks of `bodyId`. */
@Entity('agent_data_source_payload')
@Index('ix_agent_data_source_payload_created', ['createdAt'])
@Index('uq_agent_data_source_payload_body', ['bodyId'], { unique: true })
export class PayloadEntity {
  @PrimaryColumn('text', { name: 'workspace_id', primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  workspaceId!: string;

  @PrimaryColumn('text', { name: 'job_id', primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  jobId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  run!: number;

  /**
   * The recipe's name (`domain/body/payload-recipe.ts`). Most recipes consist only of a format, hence the column's
   * name.
   */
  @PrimaryColumn('text', { name: 'format', primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  recipe!: string;

  @Column('text', { name: 'body_id' })
  bodyId!: string;

  @Column('boolean')
  ready!: boolean;

  @Column('timestamptz', { name: 'building_until', nullable: true })
  buildingUntil!: Date | null;

  @Column('bytea', { nullable: true })
  sha256!: Buffer | null;

  @Column('bigint', { name: 'byte_count', nullable: true })
  byteCount!: string | null;

  @Column('bigint', { name: 'row_count', nullable: true })
  rowCount!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
