import assert from 'node:assert/strict';
import type { Agent, AgentDirectory } from '../../ports/agent-directory.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface AgentDirectoryFixture {
  readonly directory: AgentDirectory;
  /** Existing agents as the directory must return them: at least two, one active and one not. */
  readonly agents: readonly Agent[];
  /** Returns `count` different ids of agents that do not exist. */
  readonly unknownIds: (count: number) => readonly string[];
}

/** Conformance checks for a host's `AgentDirectory`. */
export function agentDirectoryConformance(makeFixture: Make<AgentDirectoryFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'is given both an active and an inactive agent to find': async ({ agents }) => {
      assert.deepEqual(new Set(agents.map(({ active }) => active)), new Set([true, false]));
    },
    'finds several agents in one call, with workspace, state and rules': async ({ directory, agents }) => {
      await finds(directory, ids(agents), agents);
    },
    'finds each agent by itself': async ({ directory, agents }) => {
      for (const agent of agents) await finds(directory, [agent.id], [agent]);
    },
    'leaves out an agent that does not exist': async ({ directory, agents, unknownIds }) => {
      await finds(directory, [...unknownIds(1), ...ids(agents)], agents);
      await finds(directory, unknownIds(1), []);
    },
    'answers an empty question with an empty list': async ({ directory }) => {
      await finds(directory, [], []);
    },
    'takes 256 ids in one call': async ({ directory, agents, unknownIds }) => {
      await finds(directory, [...ids(agents), ...unknownIds(256 - agents.length)], agents);
    },
  });
}

/** Compares only the specified fields: an adapter may return objects with more. */
async function finds(directory: AgentDirectory, asked: readonly string[], expected: readonly Agent[]): Promise<void> {
  assert.deepEqual(promised(await directory.findAgents(asked)), promised(expected));
}

function promised(agents: readonly Agent[]): readonly Agent[] {
  return agents
    .map(({ id, workspaceId, active, ruleSet }) => ({ id, workspaceId, active, ruleSet: ruleSet ?? null }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function ids(agents: readonly Agent[]): readonly string[] {
  return agents.map(({ id }) => id);
}
