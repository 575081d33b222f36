import type { EntityManager } from 'typeorm';
import type { IdFactory } from '../core/ids.js';
import { type AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { OpenTransaction } from '../ports/open-transaction.js';
import { columns, type Database } from './database.js';

/** The default audit trail: the module's own table. */
export class DatabaseAuditTrail extends AuditTrail {
  readonly #manager: EntityManager;
  readonly #newId: IdFactory;

  constructor(manager: EntityManager, newId: IdFactory) {
    super();
    this.#manager = manager;
    this.#newId = newId;
  }

  override async record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void> {
    // In the order of workspaces: each has a chain that a writer locks, and two writers must not wait for each other.
    const database = (transaction as Database | undefined) ?? this.#manager;
    await database.query(
      `INSERT INTO agent_data_source_audit
         (id, workspace_id, agent_id, data_source_id, delivery_id, action, actor_type, actor_id, ip, details)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                            $8::text[], $9::text[], $10::jsonb[]) AS e (id, workspace_id)
       ORDER BY e.workspace_id, e.id`,
      columns(
        entries,
        () => this.#newId('audit'),
        (e) => e.workspaceId,
        (e) => e.agentId,
        (e) => e.dataSourceId,
        (e) => e.deliveryId,
        (e) => e.action,
        (e) => e.actor.type,
        (e) => e.actor.id,
        (e) => e.ip,
        (e) => JSON.stringify(e.details),
      ),
    );
  }
}
