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
  'AGENT_RESULTS_PUSH_CANCELLED',
  'PUSH_REQUESTED',
  'REDELIVERY_REQUESTED',
  'RETRY_REQUESTED',
  'CANCELLATION_REQUESTED',
  'RECOVERY_REQUESTED',
  'RECOVERY_CANCELLED',
  'PAYLOADS_ERASED',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  /**
   * `aud_…`, of an entry that may come twice: the same one, where a process died between your answer and its own note of
   * it. Entries about deliveries that ended have one; keep each id once.
   */
  readonly id?: string;
  readonly action: AuditAction;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataSourceId: string;
  readonly deliveryId: string | null;
  readonly actor: Actor;
  /** Origin of the request; null for actions of the module itself. */
  readonly ip: string | null;
  /** What was done, with old and new values of a change. Never a secret or a payload. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Who did what. By default written to the module's table `agent_data_source_audit`; a host may provide its own. */
export abstract class AuditTrail {
  /**
   * Called once for each change and, in batches, for the deliveries that ended: delivered, failed or cancelled. Those are
   * on record before, and given again until this has answered: each comes at least once, under its `id`.
   * @param transaction set for a change of configuration: the transaction that makes it
   */
  abstract record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void>;
}
