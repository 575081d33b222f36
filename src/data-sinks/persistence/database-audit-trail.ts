import type { IdFactory } from '../core/ids.js';
import { type AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { OpenTransaction } from '../ports/open-transaction.js';
import type { Database } from './database.js';

/** The default audit trail: the module's own table. */
export class DatabaseAuditTrail extends AuditTrail {
  readonly #database: Database;
  readonly #newId: IdFactory;

  constructor(database: Database, newId: IdFactory) {
    super();
    this.#database = database;
    this.#newId = newId;
  }

  override async record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void> {
    const database = (transaction as Database | undefined) ?? this.#database;
    await database.query('SELECT agent_data_source_audit_append($1::jsonb)', [
      JSON.stringify(entries.map((entry) => this.#toRow(entry))),
    ]);
  }

  #toRow(entry: AuditEntry): Readonly<Record<string, unknown>> {
    return {
      id: this.#newId('audit'),
      workspace_id: entry.workspaceId,
      agent_id: entry.agentId,
      data_source_id: entry.dataSourceId,
      delivery_id: entry.deliveryId,
      action: entry.action,
      actor_type: entry.actor.type,
      actor_id: entry.actor.id,
      ip: entry.ip,
      details: entry.details,
    };
  }
}
