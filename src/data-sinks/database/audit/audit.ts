import { Injectable } from '@nestjs/common';
import type { DataSink } from '../../domain/data-sink.js';
import { type AuditAction, type AuditEntry, AuditTrail } from '../../ports/audit-trail.js';
import type { RequestCaller } from '../../ports/workspace-access.js';
import type { Database } from '../database.js';

type Details = Readonly<Record<string, unknown>>;

/** Records what was done to sinks and deliveries in the audit trail. */
@Injectable()
export class Audit {
  constructor(private readonly trail: AuditTrail) {}

  /**
   * @param transaction the transaction of the change: change and entries are committed together
   * @throws NoAnswerError, whatever the host's audit trail throws
   */
  async record(entries: AuditEntry | readonly AuditEntry[], transaction?: Database): Promise<void> {
    const given = [entries].flat();
    if (given.length > 0) await this.trail.record(given, transaction?.manager);
  }
}

/** An action of an API client on a sink. @param details must not contain secrets */
export function byCaller(
  action: AuditAction,
  { actor, ip }: RequestCaller,
  { workspaceId, agentId, id: dataSourceId }: Pick<DataSink, 'workspaceId' | 'agentId' | 'id'>,
  details: Details,
  deliveryId: string | null = null,
): AuditEntry {
  return { action, workspaceId, agentId, dataSourceId, deliveryId, actor, ip, details };
}

/** An action of the module itself, on behalf of the agent. @param details must not contain secrets */
export function byModule(
  action: AuditAction,
  {
    workspaceId,
    agentId,
    dataSourceId,
    deliveryId = null,
  }: Pick<AuditEntry, 'workspaceId' | 'agentId' | 'dataSourceId'> & Partial<Pick<AuditEntry, 'deliveryId'>>,
  details: Details,
): AuditEntry {
  const actor = { type: 'agent', id: agentId };
  return { action, workspaceId, agentId, dataSourceId, deliveryId, actor, ip: null, details };
}
