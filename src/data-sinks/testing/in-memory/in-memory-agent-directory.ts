import { keyText } from '../../domain/key-text.js';
import { AgentDirectory, type Agent } from '../../ports/agent-directory.js';

/** Agents added by a test. Agents of different workspaces may have the same id. */
export class InMemoryAgentDirectory extends AgentDirectory {
  private readonly agents = new Map<string, Agent>();

  constructor(agents: readonly Agent[] = []) {
    super();
    for (const agent of agents) this.put(agent);
  }

  /** Adds an agent, or replaces the one with this workspace and id. */
  put(agent: Agent): void {
    this.agents.set(keyText(agent.workspaceId, agent.id), agent);
  }

  remove(workspaceId: string, id: string): void {
    this.agents.delete(keyText(workspaceId, id));
  }

  override async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
    return [...this.agents.values()].filter(({ id }) => ids.includes(id));
  }
}
