import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('agent_data_source_payload_chunk')
export class PayloadChunkEntity {
  @PrimaryColumn('text', { name: 'body_id', primaryKeyConstraintName: 'pk_agent_data_source_payload_chunk' })
  bodyId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_agent_data_source_payload_chunk' })
  seq!: number;

  /** Compressed separately, so that each chunk can be read alone. */
  @Column('bytea')
  bytes!: Buffer;
}
