import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Ciphertext only: nonce, ciphertext and tag in one. */
@Entity('agent_data_source_secret')
export class SecretEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_agent_data_source_secret' })
  id!: string;

  @Column('text', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('bytea')
  ciphertext!: Buffer;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
