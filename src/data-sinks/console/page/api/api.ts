import { ask, type Client } from './client.js';
import { deliveryCalls } from './delivery-calls.js';
import { Problem } from './problem.js';
import { recoveryCalls } from './recovery-calls.js';
import { sinkPath } from './sink-path.js';
import type { CreateSink, RotateSecret, UpdateSink } from './types.js';

/** The rules that apply to an agent, and the rest of its rule set, which is not ours to change. */
export interface AgentRules {
  /** `none`: the agent goes by the defaults. `no-endpoint`: the host does not show its rules, and nobody here knows them. */
  readonly found: 'stored' | 'none' | 'no-endpoint';
  readonly autoPush: boolean;
  readonly retries: number;
  readonly ruleSet: Readonly<Record<string, unknown>>;
}

export type Api = ReturnType<typeof createApi>;

/** Everything that the page asks of the platform. */
export function createApi(client: Client) {
  return {
    agents: (cursor?: string) =>
      ask(client.GET('/agents', { params: { query: { limit: 50, ...(cursor && { cursor }) } } })),
    agent: (agentId: string) => ask(client.GET('/agents/{agentId}', { params: { path: { agentId } } })),
    createAgent: (name: string) => ask(client.POST('/agents', { body: { name } })),
    activateAgent: (agentId: string) =>
      ask(client.POST('/agents/{agentId}/activate', { params: { path: { agentId } } })),
    pauseAgent: (agentId: string) => ask(client.POST('/agents/{agentId}/pause', { params: { path: { agentId } } })),
    rules: (agentId: string) => readRules(client, agentId),
    writeRules: (agentId: string, rules: AgentRules) => writeRules(client, agentId, rules),
    finishSampleJob: (agentId: string) => finishSampleJob(client, agentId),

    sinks: (agentId: string) =>
      ask(client.GET('/agents/{agentId}/data-sources', { params: { path: { agentId }, query: { limit: 100 } } })),
    sink: (agentId: string, sinkId: string) =>
      ask(client.GET('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId) })),
    createSink: (agentId: string, body: CreateSink) =>
      ask(client.POST('/agents/{agentId}/data-sources', { params: { path: { agentId } }, body })),
    changeSink: (agentId: string, sinkId: string, body: UpdateSink) =>
      ask(client.PATCH('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId), body })),
    deleteSink: (agentId: string, sinkId: string) =>
      ask(client.DELETE('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId) })),
    rotateSecret: (agentId: string, sinkId: string, body: RotateSecret) =>
      ask(client.POST('/agents/{agentId}/data-sources/{sinkId}/secret', { params: sinkPath(agentId, sinkId), body })),
    testSink: (agentId: string, sinkId: string) =>
      ask(client.POST('/agents/{agentId}/data-sources/{sinkId}/test', { params: sinkPath(agentId, sinkId) })),
    push: (agentId: string, sinkId: string, jobId: string) =>
      ask(
        client.POST('/agents/{agentId}/data-sources/{sinkId}/pushes', {
          params: sinkPath(agentId, sinkId),
          body: { jobId },
        }),
      ),
    ...deliveryCalls(client),
    ...recoveryCalls(client),
  };
}

const DEFAULT_RETRIES = 2;

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
    const { rules } = await ask(client.GET('/agents/{agentId}/rule-sets/current', { params }));
    return { found: 'stored', ruleSet: rules };
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    // A host that has this endpoint says with a problem of this type that there are no rules yet.
    return { found: error.code === 'not-found' ? 'none' : 'no-endpoint', ruleSet: {} };
  }
}

async function writeRules(client: Client, agentId: string, { ruleSet, autoPush, retries }: AgentRules): Promise<void> {
  const body = { ...ruleSet, data_sinks: { auto_push_on_job_complete: autoPush, retry_failed_push: retries } };
  await ask(client.POST('/agents/{agentId}/rule-sets', { params: { path: { agentId } }, body }));
}

/** Stands in for the mapping engine, where the host offers it. */
function finishSampleJob(client: Client, agentId: string) {
  const results = [
    { partnerRowId: 'row_sample_1', referenceHotelId: 'ref_sample_1', matchMethod: 'STANDARD', matchConfidence: 0.97 },
    { partnerRowId: 'row_sample_2', referenceHotelId: 'ref_sample_2', matchMethod: 'STANDARD', matchConfidence: null },
    { partnerRowId: 'row_sample_3', referenceHotelId: null, matchMethod: null, matchConfidence: null },
  ];
  return ask(client.POST('/agents/{agentId}/mapping-jobs', { params: { path: { agentId } }, body: { results } }));
}
