import type { DataSink } from './data-sink.js';
import type { DeliveryTrigger } from './trigger.js';
import type { CancelReason } from './delivery.js';
import type { DataSinkRules } from './data-sink-rules.js';

/** Current state of everything the gate checks; null for what no longer exists. */
export interface GateFacts {
  readonly trigger: DeliveryTrigger;
  readonly planEntitled: boolean;
  readonly agent: { readonly active: boolean; readonly rules: DataSinkRules } | null;
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
}

/**
 * Decides whether a delivery may be sent now, or why it ends (contract, section 2). Checked before every attempt, since
 * any of this can change between attempts. Only automatic pushes depend on the auto-push rule.
 */
export function gate(facts: GateFacts): CancelReason | null {
  const { trigger, planEntitled, agent, sink } = facts;
  if (!sink || sink.deletedAt !== null || sink.status !== 'ACTIVE') return 'sink_inactive';
  if (!agent?.active) return 'agent_inactive';
  if (!planEntitled) return 'plan_required';
  if (trigger === 'AUTO' && !agent.rules.autoPushOnJobComplete) return 'auto_push_off';
  return null;
}
