import type { OpenTransaction } from './open-transaction.js';

/** An agent as the gate needs it. */
export interface Agent {
  /** `agt_…` */
  readonly id: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** Whether the agent's status is `ACTIVE`. */
  readonly active: boolean;
  /**
   * The rule set in force, whole or just `{ "data_sinks": … }`; parsed by us. Null when it has none. A section that
   * does not parse counts as the default, which pushes nothing.
   */
  readonly ruleSet: unknown;
}

/** The host's agents. Asked when a sink is configured, when a job completes and before every attempt. */
export abstract class AgentDirectory {
  /**
   * @param ids `agt_…`, without repetition, at most 256
   * @param transaction set when `DataSinks.recordJobCompleted(event, manager)` asks: the manager it was given. An adapter
   *   that reads the same database uses it; reaching for another connection there waits for ever on a pool of one
   * @returns the agents that exist, in any order; unknown ids are left out
   * @throws when the host cannot answer now: nothing is lost, and no customer's retry is spent
   */
  abstract findAgents(ids: readonly string[], transaction?: OpenTransaction): Promise<readonly Agent[]>;
}
