import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The end of a workspace's chain of audit entries; written by the database's trigger alone. */
@Entity('agent_data_source_audit_head')
export class AuditHeadEntity {
  @PrimaryColumn('text', { name: 'workspace_id', primaryKeyConstraintName: 'pk_agent_data_source_audit_head' })
  workspaceId!: string;

  @Column('bigint')
  seq!: string;

  @Column('bytea')
  hash!: Buffer;
}
