import type { OpenTransaction } from './open-transaction.js';
import type { Actor } from './workspace-access.js';

export const AUDIT_ACTIONS = [
  'DATA_SINK_CREATED',
  'DATA_SINK_CHANGED',
  'DATA_SINK_DELETED',
  'DATA_SINK_TESTED',
  'DATA_SINK_DISABLED',
  'DATA_SINK_REACTIVATED',
  'SECRET_ROTATED',
  'SECRET_DESTROYED',
  'AGENT_RESULTS_PUSHED',
  'AGENT_RESULTS_PUSH_FAILED',
  'PUSH_REQUESTED',
  'REDELIVERY_REQUESTED',
  'RECOVERY_REQUESTED',
  'RECOVERY_CANCELLED',
  'PAYLOADS_ERASED',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  readonly action: AuditAction;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly deliveryId: string | null;
  readonly actor: Actor;
  /** Where the request came from; null for what the module did by itself. */
  readonly ip: string | null;
  /** What was done; old and new values of a change. Never a secret, never a payload. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Who did what. The default writes the module's own table `agent_data_source_audit`; a host may bring its own. */
export abstract class AuditTrail {
  /**
   * Called once for each change and, in batches, for the deliveries that settled.
   * @param transaction set for a change of configuration: the transaction that makes it
   */
  abstract record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void>;
}
