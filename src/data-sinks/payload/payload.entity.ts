import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { PayloadFormat } from '../core/data-sink.js';

/** The body made for one job and format; its bytes are the chunks of `bodyId`. */
@Entity('agent_data_source_payload')
@Index('ix_agent_data_source_payload_created', ['createdAt'])
@Index('uq_agent_data_source_payload_body', ['bodyId'], { unique: true })
export class PayloadEntity {
  @PrimaryColumn('text', { name: 'job_id', primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  jobId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  run!: number;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_payload' })
  format!: PayloadFormat;

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
