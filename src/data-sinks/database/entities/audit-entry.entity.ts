import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { AuditAction } from '../../ports/audit-trail.js';

@Entity('agent_data_source_audit')
@Index('uq_agent_data_source_audit_chain', ['workspaceId', 'seq'], { unique: true })
export class AuditEntryEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_audit' })
  id!: string;

  @Column('timestamptz', { default: () => 'now()' })
  at!: Date;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'agent_id' })
  agentId!: string;

  @Column('text', { name: 'data_source_id' })
  dataSourceId!: string;

  @Column('text', { name: 'delivery_id', nullable: true })
  deliveryId!: string | null;

  @Column('text')
  action!: AuditAction;

  @Column('text', { name: 'actor_type' })
  actorType!: string;

  @Column('text', { name: 'actor_id' })
  actorId!: string;

  @Column('text', { nullable: true })
  ip!: string | null;

  @Column('jsonb')
  details!: Readonly<Record<string, unknown>>;

  /** Place in the workspace's chain, from 1. Set by the database. */
  @Column('bigint')
  seq!: string;

  /** Over this entry and the one before it. Set by the database. */
  @Column('bytea')
  hash!: Buffer;
}
