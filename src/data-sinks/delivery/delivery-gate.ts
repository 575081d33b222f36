import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { GATE_AGENT_DIRECTORY, GATE_WORKSPACE_PLANS, OPTIONS } from '../data-sinks.tokens.js';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import { agentLookup } from '../ports/agent-lookup.js';
import type { DataSink } from '../domain/data-sink.js';
import type { CancelReason } from '../domain/delivery.js';
import { gate } from '../domain/gate.js';
import { rulesInForce } from '../domain/data-sink-rules.js';
import type { AgentDirectory } from '../ports/agent-directory.js';
import type { WorkspacePlans } from '../ports/workspace-plans.js';

/** The fields of a delivery that the gate checks. */
export type Judged = Pick<ClaimedDelivery, 'trigger' | 'workspaceId' | 'agentId'> & {
  readonly sink: Pick<DataSink, 'status' | 'deletedAt'> | null;
};

/** Reads the host's current state for a whole batch and checks each delivery (contract, section 2). */
@Injectable()
export class DeliveryGate {
  readonly #entitledPlans: ReadonlySet<string>;

  constructor(
    @Inject(GATE_AGENT_DIRECTORY) private readonly agents: AgentDirectory,
    @Inject(GATE_WORKSPACE_PLANS) private readonly plans: WorkspacePlans,
    @Inject(OPTIONS) { entitledPlans }: ResolvedDataSinksOptions,
  ) {
    this.#entitledPlans = new Set(entitledPlans);
  }

  /**
   * @returns for each delivery the reason why it ends, or null when it may be sent
   * @throws what the host's ports throw
   */
  async judge(deliveries: readonly Judged[]): Promise<readonly (CancelReason | null)[]> {
    const [agents, plans] = await Promise.all([
      this.agents.findAgents(unique(deliveries.map((d) => d.agentId))),
      this.plans.findPlans(unique(deliveries.map((d) => d.workspaceId))),
    ]);
    const agentOf = agentLookup(agents);
    return deliveries.map(({ trigger, workspaceId, agentId, sink }) => {
      const agent = agentOf({ workspaceId, agentId });
      return gate({
        trigger,
        planEntitled: this.#entitledPlans.has(plans.get(workspaceId) ?? ''),
        agent: agent ? { active: agent.active, rules: rulesInForce(agent) } : null,
        sink,
      });
    });
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
