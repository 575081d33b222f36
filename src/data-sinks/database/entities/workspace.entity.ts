import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What we give to a workspace once, and never change. */
@Entity('agent_data_source_workspace')
export class WorkspaceEntity {
  @PrimaryColumn('text', { name: 'workspace_id', primaryKeyConstraintName: 'pk_agent_data_source_workspace' })
  workspaceId!: string;

  /** What the platform says when it assumes a role of this customer's. Not a secret. */
  @Column('text', { name: 'external_id' })
  externalId!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
