import { keyText } from '../domain/key-text.js';
import type { Agent } from './agent-directory.js';

/** The agent to find. */
export interface AgentKey {
  readonly workspaceId: string;
  readonly agentId: string;
}

/** Finds an agent by workspace and id in the host's answer; another workspace's agent does not match. */
export function agentLookup(agents: readonly Agent[]): (key: AgentKey) => Agent | undefined {
  const byKey = new Map(agents.map((agent) => [keyText(agent.workspaceId, agent.id), agent]));
  return ({ workspaceId, agentId }) => byKey.get(keyText(workspaceId, agentId));
}
