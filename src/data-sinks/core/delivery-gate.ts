import type { DataSink } from './data-sink.js';
import type { CancelReason, DeliveryTrigger } from './delivery.js';
import type { DataSinkRules } from './rules.js';

/** What the gate looks at, as it stands at this moment. Null where it is gone. */
export interface GateFacts {
  readonly trigger: DeliveryTrigger;
  readonly planEntitled: boolean;
  readonly agent: { readonly active: boolean; readonly rules: DataSinkRules } | null;
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
}

/**
 * Says whether a delivery may be sent now, or why it ends (contract, section 2). Asked before every attempt, since each
 * of these can change between two attempts. Only automatic pushes are bound by the auto-push rule.
 */
export function gate(facts: GateFacts): CancelReason | null {
  const { trigger, planEntitled, agent, sink } = facts;
  if (!sink || sink.deletedAt !== null || sink.status !== 'ACTIVE') return 'sink_inactive';
  if (!agent?.active) return 'agent_inactive';
  if (!planEntitled) return 'plan_required';
  if (trigger === 'AUTO' && !agent.rules.autoPushOnJobComplete) return 'auto_push_off';
  return null;
}
