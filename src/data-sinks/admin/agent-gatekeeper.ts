import { Injectable } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import { ProblemError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { DataSinkRepository } from '../persistence/data-sink.repository.js';
import { DeliveryGate } from '../pipeline/index.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { type Agent, AgentDirectory } from '../ports/agent-directory.js';
import type { Caller } from '../ports/workspace-access.js';

/** An agent or sink that the caller may see, or 404: another workspace's is one that does not exist. */
@Injectable()
export class AgentGatekeeper {
  constructor(
    private readonly agents: AgentDirectory,
    private readonly sinks: DataSinkRepository,
    private readonly gate: DeliveryGate,
  ) {}

  /** @throws ProblemError `not-found` */
  async agent(caller: Caller, agentId: string): Promise<Agent> {
    // The form of the id is the host's, but no database of its holds a NUL, and PostgreSQL fails when asked for one.
    if (!agentId.includes('\0')) {
      const [agent] = await within(this.agents.findAgents([agentId]), PORT_WITHIN_MS, 'the agent directory');
      if (agent?.workspaceId === caller.workspaceId) return agent;
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

  /** @throws ProblemError `plan-required` */
  async requirePlan(caller: Caller): Promise<void> {
    if (await this.gate.isEntitled(caller.workspaceId)) return;
    throw new ProblemError(
      'plan-required',
      'Data sinks are part of the plans Pro Max and Enterprise. Existing configuration is kept.',
    );
  }
}
