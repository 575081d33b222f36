import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DataSink } from '../core/data-sink.js';
import type { CancelReason } from '../core/delivery.js';
import { gate } from '../core/delivery-gate.js';
import { DEFAULT_RULES, parseRules } from '../core/rules.js';
import type { Agent, AgentDirectory } from '../ports/agent-directory.js';
import type { WorkspacePlans } from '../ports/workspace-plans.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** What of a delivery is judged. */
export type Judged = Pick<ClaimedDelivery, 'trigger' | 'workspaceId' | 'agentId'> & {
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
};

/** Asks the host how things stand now, for a whole batch at once, and judges each delivery (contract, section 2). */
export class DeliveryGate {
  readonly #agents: AgentDirectory;
  readonly #plans: WorkspacePlans;
  readonly #entitledPlans: ReadonlySet<string>;

  constructor(agents: AgentDirectory, plans: WorkspacePlans, entitledPlans: Iterable<string>) {
    this.#agents = agents;
    this.#plans = plans;
    this.#entitledPlans = new Set(entitledPlans);
  }

  /**
   * @returns for each delivery why it ends, or null when it may be sent
   * @throws what the host's ports throw
   */
  async judge(deliveries: readonly Judged[]): Promise<readonly (CancelReason | null)[]> {
    const [agents, plans] = await Promise.all([
      this.#agents.findAgents(unique(deliveries.map((d) => d.agentId))),
      this.#plans.findPlans(unique(deliveries.map((d) => d.workspaceId))),
    ]);
    const agentById = new Map(agents.map((agent) => [agent.id, agent]));
    return deliveries.map(({ trigger, workspaceId, agentId, sink }) => {
      const agent = agentById.get(agentId);
      return gate({
        trigger,
        planEntitled: this.#entitledPlans.has(plans.get(workspaceId) ?? ''),
        agent: agent?.workspaceId === workspaceId ? { active: agent.active, rules: rulesInForce(agent) } : null,
        sink,
      });
    });
  }

  /** Whether a workspace may have sinks. @throws what the host's port throws, and when it never answers */
  async isEntitled(workspaceId: string): Promise<boolean> {
    const plans = await within(this.#plans.findPlans([workspaceId]), PORT_WITHIN_MS, 'the plans');
    return this.#entitledPlans.has(plans.get(workspaceId) ?? '');
  }
}

/** A section that does not parse pushes nothing: the default is off. */
export function rulesInForce(agent: Pick<Agent, 'ruleSet'>): typeof DEFAULT_RULES {
  const parsed = parseRules(agent.ruleSet);
  return parsed.ok ? parsed.rules : DEFAULT_RULES;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
