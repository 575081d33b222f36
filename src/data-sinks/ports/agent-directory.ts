import type { OpenTransaction } from './open-transaction.js';

/** The facts about an agent that the gate needs. */
export interface Agent {
  /** `agt_…` */
  readonly id: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** Whether the agent's status is `ACTIVE`. */
  readonly active: boolean;
  /**
   * The current rule set, whole or just `{ "data_sinks": … }`; the module parses it. Null when there is none. A section
   * that does not parse counts as the default, which pushes nothing.
   */
  readonly ruleSet: unknown;
}

/** The host's agents. Called when a sink is configured, when a job completes and before every attempt. */
export abstract class AgentDirectory {
  /**
   * @param ids `agt_…`, without duplicates, at most 256
   * @param transaction the manager passed to `DataSinks.recordJobCompleted(event, manager)`. An adapter that reads the
   *   same database must use it: on a pool of one connection, requesting another would deadlock
   * @returns the agents that exist, in any order, without unknown ids. If several workspaces have an agent with the
   *   same id, return all of them
   * @throws when the host is unavailable: nothing is lost and no retry is used
   */
  abstract findAgents(ids: readonly string[], transaction?: OpenTransaction): Promise<readonly Agent[]>;
}
