import { AgentDirectory, type Agent } from '../../ports/agent-directory.js';

/** Agents that a test puts in. */
export class InMemoryAgentDirectory extends AgentDirectory {
  private readonly agents = new Map<string, Agent>();

  constructor(agents: readonly Agent[] = []) {
    super();
    for (const agent of agents) this.put(agent);
  }

  /** Adds an agent, or replaces the one of this id. */
  put(agent: Agent): void {
    this.agents.set(agent.id, agent);
  }

  remove(id: string): void {
    this.agents.delete(id);
  }

  override async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
    return ids.flatMap((id) => this.agents.get(id) ?? []);
  }
}
