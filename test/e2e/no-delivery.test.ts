import { describe, expect, it } from '@jest/globals';
import { DataSinks } from '../../src/data-sinks/index.js';
import { type Agent, resultRows } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

const stats = { total: 1, matched: 1, unmatched: 0 };

/** Completes a job of an agent, as a host does. @returns its id, once it is recorded */
async function complete(agent: Agent, other: Readonly<Record<string, string>> = {}): Promise<string> {
  const jobId = await agent.finishJob(resultRows(1), `job_${Math.random()}`);
  const event = { jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId, ...other };
  // The host has emitted its own already; another run of the same job is another completion.
  await platform()
    .app.get(DataSinks)
    .recordJobCompleted({ ...event, run: 2, completedAt: new Date(), stats });
  return jobId;
}

describe('a completion without deliveries is logged at debug level with the reason:', () => {
  const cases: readonly (readonly [string, () => Promise<string>])[] = [
    ['agent_unknown', async () => complete(await (await platform().customer()).agent(), { agentId: 'agt_nobody' })],
    [
      'agent_of_another_workspace',
      async () => complete(await (await platform().customer()).agent(), { workspaceId: 'ws_other' }),
    ],
    ['agent_inactive', async () => complete(await (await platform().customer()).draftAgent())],
    [
      'auto_push_off',
      async () => complete(await (await platform().customer()).agent({ auto_push_on_job_complete: false })),
    ],
    ['no_sink', async () => complete(await (await platform().customer()).agent())],
    [
      'sink_inactive',
      async () => {
        const agent = await (await platform().customer()).agent();
        const { api, path } = await agent.sink(await platform().receiver.endpoint());
        await api.patch(path, { status: 'INACTIVE' });
        return complete(agent);
      },
    ],
    [
      'rules_invalid',
      async () => {
        const agent = await (await platform().customer()).agent();
        await platform().sql(
          `UPDATE host_rule_set SET rules = '{"data_sinks":{"auto_push":true}}' WHERE agent_id = $1`,
          [agent.id],
        );
        return complete(agent);
      },
    ],
    [
      'already_recorded',
      async () => {
        const agent = await (await platform().customer()).agent();
        await agent.sink(await platform().receiver.endpoint());
        const jobId = await complete(agent);
        const event = { jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId, run: 2, stats };
        const dataSinks = platform().app.get(DataSinks);
        expect(await dataSinks.recordJobCompleted({ ...event, completedAt: new Date() })).toBe(0);
        return jobId;
      },
    ],
  ];

  it.each(cases)('%s', async (reason, completed) => {
    const jobId = await completed();
    const line = await platform().logs.line(new RegExp(`"reason":"${reason}"`), `"jobId":"${jobId}"`);
    expect(line).toMatch(/^debug /);
    expect(JSON.parse(line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1))).toMatchObject({
      ...{ event: 'completion.no_delivery', message: expect.stringContaining('makes no delivery'), reason },
      ...{ workspaceId: expect.any(String), agentId: expect.any(String) },
    });
  });

  it('and rules that do not parse are logged as a warning once', () => {
    expect(platform().logs.lines.filter((line) => line.includes('"rules.invalid"'))).toEqual([
      expect.stringMatching(/^warn .*unknown rule/),
    ]);
  });
});
