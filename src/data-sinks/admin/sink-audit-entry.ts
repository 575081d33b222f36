import type { DataSink } from '../core/data-sink.js';
import type { AuditAction, AuditEntry } from '../ports/audit-trail.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** What a caller did to a sink, for the audit trail. */
export function sinkAuditEntry(
  action: AuditAction,
  { actor, ip }: RequestCaller,
  { workspaceId, agentId, id: dataSourceId }: Pick<DataSink, 'workspaceId' | 'agentId' | 'id'>,
  details: Readonly<Record<string, unknown>>,
): AuditEntry {
  return { action, workspaceId, agentId, dataSourceId, deliveryId: null, actor, ip, details };
}
