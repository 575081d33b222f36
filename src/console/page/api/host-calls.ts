import { ask, type Client } from './client.js';
import { Problem } from './problem.js';

/** The rules of an agent, and the rest of its rule set, which the page does not change. */
export interface AgentRules {
  /** `none`: the agent uses the defaults. `no-endpoint`: the host has no endpoint for rules, so they are unknown. */
  readonly found: 'stored' | 'none' | 'no-endpoint';
  readonly autoPush: boolean;
  readonly retries: number;
  readonly ruleSet: Readonly<Record<string, unknown>>;
}

const DEFAULT_RETRIES = 2;

/** Calls of the host's own endpoints: agents, their rules, their jobs. */
export function hostCalls(client: Client) {
  return {
    agents: (cursor?: string) => {
      const query = { limit: 50, ...(cursor && { cursor }) };
      return shown(ask(client.GET('/agents', { params: { query } })), ({ items }) => Array.isArray(items));
    },
    agent: (agentId: string) =>
      shown(ask(client.GET('/agents/{agentId}', { params: { path: { agentId } } })), ({ id }) => id === agentId),
    createAgent: (name: string) => ask(client.POST('/agents', { body: { name } })),
    activateAgent: (agentId: string) =>
      ask(client.POST('/agents/{agentId}/activate', { params: { path: { agentId } } })),
    pauseAgent: (agentId: string) => ask(client.POST('/agents/{agentId}/pause', { params: { path: { agentId } } })),
    rules: (agentId: string) => readRules(client, agentId),
    writeRules: (agentId: string, rules: AgentRules) => writeRules(client, agentId, rules),
    finishSampleJob: (agentId: string) => finishSampleJob(client, agentId),
  };
}

/**
 * A host may lack these endpoints, or have others at their addresses: with an envelope around responses, for its own
 * sessions only, or a page. All of these count as missing.
 * @throws Problem of status 404 then
 */
async function shown<T extends object>(call: Promise<T>, isOurs: (answer: Partial<T>) => boolean): Promise<T> {
  const answer = await call.catch((error: unknown) => {
    if (error instanceof Problem && (error.code === 'unreadable' || (error.isOfHost && error.status !== 429)))
      return null;
    throw error;
  });
  if (typeof answer === 'object' && answer !== null && isOurs(answer)) return answer;
  throw new Problem('not-shown', 404, 'Not found', 'The platform does not show this here.');
}

async function readRules(client: Client, agentId: string): Promise<AgentRules> {
  const { found, ruleSet } = await findRuleSet(client, agentId);
  const section = ruleSet['data_sinks'];
  const rules = (typeof section === 'object' && section !== null ? section : {}) as Readonly<Record<string, unknown>>;
  const retries = rules['retry_failed_push'];
  return {
    found,
    ruleSet,
    autoPush: rules['auto_push_on_job_complete'] === true,
    retries: typeof retries === 'number' ? retries : DEFAULT_RETRIES,
  };
}

async function findRuleSet(client: Client, agentId: string): Promise<Pick<AgentRules, 'found' | 'ruleSet'>> {
  try {
    const params = { path: { agentId } };
    const call = ask(client.GET('/agents/{agentId}/rule-sets/current', { params }));
    const { rules } = await shown(call, (answer) => typeof answer.rules === 'object');
    return { found: 'stored', ruleSet: rules };
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    // A host with this endpoint returns a problem of this type when no rules exist yet.
    return { found: error.code === 'not-found' ? 'none' : 'no-endpoint', ruleSet: {} };
  }
}

async function writeRules(client: Client, agentId: string, { ruleSet, autoPush, retries }: AgentRules): Promise<void> {
  const body = { ...ruleSet, data_sinks: { auto_push_on_job_complete: autoPush, retry_failed_push: retries } };
  await ask(client.POST('/agents/{agentId}/rule-sets', { params: { path: { agentId } }, body }));
}

/** Replaces the mapping engine in demonstrations, where the host offers it. */
function finishSampleJob(client: Client, agentId: string) {
  const results = [
    { partnerRowId: 'row_sample_1', referenceHotelId: 'ref_sample_1', matchMethod: 'STANDARD', matchConfidence: 0.97 },
    { partnerRowId: 'row_sample_2', referenceHotelId: 'ref_sample_2', matchMethod: 'STANDARD', matchConfidence: null },
    { partnerRowId: 'row_sample_3', referenceHotelId: null, matchMethod: null, matchConfidence: null },
  ];
  return ask(client.POST('/agents/{agentId}/mapping-jobs', { params: { path: { agentId } }, body: { results } }));
}
