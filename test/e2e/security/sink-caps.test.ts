import { describe, expect, it } from '@jest/globals';
import { type Agent, expectStatus, sinkBody } from '../../support/platform/customer.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';

const PER_AGENT = 3;
const PER_WORKSPACE = 5;

// On PostgreSQL always: the embedded database runs one transaction at a time, and nothing races there.
const platform = suitePlatform({
  mode: 'services',
  options: { sinksPerAgent: PER_AGENT, sinksPerWorkspace: PER_WORKSPACE },
});

describe('the limits on sinks', () => {
  const statuses = async (creations: readonly Promise<{ readonly status: number }>[]): Promise<number[]> =>
    (await Promise.all(creations)).map(({ status }) => status).sort();
  const create = (agent: Agent): Promise<{ readonly status: number }> =>
    agent.api.post(`${agent.path}/data-sources`, sinkBody('https://acme.com/'));

  it('per agent hold when many sinks are created at once', async () => {
    const agent = await (await platform().customer()).draftAgent();
    const made = await statuses(Array.from({ length: 10 }, () => create(agent)));
    expect(made).toEqual([201, 201, 201, ...Array.from({ length: 7 }, () => 409)]);
    expect(expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200).items).toHaveLength(PER_AGENT);
  });

  it('per workspace hold when many agents get sinks at once', async () => {
    const customer = await platform().customer();
    const agents: Agent[] = [];
    for (let i = 0; i < 5; i++) agents.push(await customer.draftAgent());
    const made = await statuses(agents.flatMap((agent) => [create(agent), create(agent)]));
    expect(made).toEqual([...Array.from({ length: PER_WORKSPACE }, () => 201), 409, 409, 409, 409, 409]);
    const [{ secrets } = { secrets: -1 }] = await platform().sql<{ secrets: number }>(
      'SELECT count(*)::int AS secrets FROM agent_data_source_secret WHERE workspace_id = $1',
      [customer.workspaceId],
    );
    expect(secrets).toBe(PER_WORKSPACE);
  });
});
