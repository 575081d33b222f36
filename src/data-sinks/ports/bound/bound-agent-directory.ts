import { PortAnswerError } from '../../domain/errors.js';
import { keyText } from '../../domain/key-text.js';
import { describeType } from '../../domain/describe-type.js';
import type { Agent, AgentDirectory } from '../agent-directory.js';
import type { OpenTransaction } from '../open-transaction.js';
import type { RuleSetWarnings } from './rule-set-warnings.js';
import { callPort, isObject, isText, wrongAnswer } from './call-port.js';

const CALL = 'AgentDirectory.findAgents()';

/** The host's agents, with a time limit and a check of every answer. Logs a warning for rules that do not parse. */
export class BoundAgentDirectory implements AgentDirectory {
  constructor(
    private readonly host: AgentDirectory,
    private readonly limitMs: number,
    private readonly warnings: Pick<RuleSetWarnings, 'check'>,
  ) {}

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async findAgents(ids: readonly string[], transaction?: OpenTransaction): Promise<readonly Agent[]> {
    const answer = await callPort(CALL, this.limitMs, () => this.host.findAgents(ids, transaction));
    if (!Array.isArray(answer)) throw wrongAnswer(CALL, answer, 'it must return an array');
    const asked = new Set(ids);
    const seen = new Set<string>();
    for (const [i, agent] of (answer as readonly unknown[]).entries()) requireAgent(agent, i, asked, seen);
    const agents = answer as readonly Agent[];
    for (const agent of agents) this.warnings.check(agent);
    return agents;
  }
}

/**
 * @param asked the requested ids
 * @param seen the agents so far, by workspace and id: several workspaces may have an agent with the same id
 */
function requireAgent(agent: unknown, i: number, asked: ReadonlySet<string>, seen: Set<string>): void {
  const wrong = (what: string): PortAnswerError => new PortAnswerError(`${CALL} returned ${what}`);
  if (!isObject(agent)) throw wrong(`an array whose element ${i} is ${describeType(agent)}; each must be an agent`);
  const { id, workspaceId, active } = agent;
  if (!isText(id)) throw wrong(`an agent whose id is ${describeType(id)}; it must be a non-empty string`);
  if (!isText(workspaceId)) {
    throw wrong(`agent ${id} whose workspaceId is ${describeType(workspaceId)}; it must be a non-empty string`);
  }
  const name = keyText(workspaceId, id);
  // With two answers for one agent, it would be arbitrary which rule set applies.
  if (!asked.has(id) || seen.has(name))
    throw wrong(`agent ${id}, which was not asked for, or twice; each agent is answered once at most`);
  seen.add(name);
  // Otherwise the text "false" would count as active.
  if (typeof active !== 'boolean')
    throw wrong(`agent ${id} whose active is ${describeType(active)}; it must be a boolean`);
}
