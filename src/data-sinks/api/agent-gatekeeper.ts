import { Injectable } from '@nestjs/common';
import { agentLookup } from '../ports/agent-lookup.js';
import type { DataSink } from '../domain/data-sink.js';
import type { Delivery } from '../domain/delivery.js';
import { ProblemError } from '../domain/errors.js';
import { isId } from '../domain/ids.js';
import { DataSinkRepository } from '../sinks/data-sink.repository.js';
import { requireActive } from '../sinks/require-active.js';
import { Inject } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { type Agent, AgentDirectory } from '../ports/agent-directory.js';
import type { Caller } from '../ports/workspace-access.js';
import { WorkspacePlans } from '../ports/workspace-plans.js';

/**
 * Finds an agent or sink of the caller's workspace, or answers 404: those of other workspaces do not exist for the
 * caller.
 */
@Injectable()
export class AgentGatekeeper {
  constructor(
    private readonly agents: AgentDirectory,
    private readonly sinks: DataSinkRepository,
    private readonly plans: WorkspacePlans,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** Whether an agent of the caller's workspace exists for it, and what that agent has sent. */
  sees({ agentIds }: Caller, agentId: string): boolean {
    return agentIds === undefined || agentIds.has(agentId);
  }

  /** @throws ProblemError `not-found` */
  async agent(caller: Caller, agentId: string): Promise<Agent> {
    // The host chooses the form of its ids, but PostgreSQL rejects NUL with an error.
    if (!agentId.includes('\0') && this.sees(caller, agentId)) {
      const found = await this.agents.findAgents([agentId]);
      const agent = agentLookup(found)({ workspaceId: caller.workspaceId, agentId });
      if (agent) return agent;
    }
    throw new ProblemError('not-found', 'There is no such agent in this workspace.');
  }

  /** @throws ProblemError `not-found` */
  async sink(caller: Caller, agentId: string, sinkId: string): Promise<{ agent: Agent; sink: DataSink }> {
    const agent = await this.agent(caller, agentId);
    const scope = { workspaceId: caller.workspaceId, agentId };
    const sink = isId('dataSource', sinkId) ? await this.sinks.find(scope, sinkId) : null;
    if (sink) return { agent, sink };
    throw new ProblemError('not-found', 'This agent has no such data source.');
  }

  /** The agent and the sink of a delivery are active. @throws ProblemError `agent-inactive`, `sink-inactive` */
  async requireActiveOf({ workspaceId, agentId, dataSourceId }: Delivery): Promise<void> {
    const [agents, sink] = await Promise.all([
      this.agents.findAgents([agentId]),
      this.sinks.find({ workspaceId, agentId }, dataSourceId),
    ]);
    requireActive(agentLookup(agents)({ workspaceId, agentId })?.active === true, sink);
  }

  /** @throws ProblemError `plan-required`, with the host's names of the plans */
  async requirePlan({ workspaceId }: Caller): Promise<void> {
    const { entitledPlans } = this.options;
    const plan = (await this.plans.findPlans([workspaceId])).get(workspaceId);
    if (plan !== undefined && entitledPlans.includes(plan)) return;
    throw new ProblemError(
      'plan-required',
      `The workspace’s plan does not include data sinks; these do: ${entitledPlans.join(', ')}. ` +
        'Existing configuration is kept.',
    );
  }
}
