import { Inject, Injectable } from '@nestjs/common';
import { NEW_ID } from '../../data-sinks.tokens.js';
import type { IdFactory } from '../../domain/ids.js';
import { type AuditEntry, AuditTrail } from '../../ports/audit-trail.js';
import type { OpenTransaction } from '../../ports/open-transaction.js';
import { toJson } from '../../tools/to-json.js';
import { Database } from '../database.js';

/** The default audit trail: the module's own table. */
@Injectable()
export class DatabaseAuditTrail extends AuditTrail {
  constructor(
    private readonly database: Database,
    @Inject(NEW_ID) private readonly newId: IdFactory,
  ) {
    super();
  }

  override async record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void> {
    await this.database
      .in(transaction)
      .prepared('SELECT agent_data_source_audit_append($1::jsonb)', [
        toJson(entries.map((entry) => this.#toRow(entry))),
      ]);
  }

  #toRow(entry: AuditEntry): Readonly<Record<string, unknown>> {
    return {
      id: entry.id ?? this.newId('audit'),
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
