import { describe, expect, it } from '@jest/globals';
import {
  agentDirectoryConformance,
  auditTrailConformance,
  InMemorySecretVault,
  mappingResultsConformance,
  secretVaultConformance,
  workspaceAccessConformance,
  workspacePlansConformance,
} from '../../../../src/data-sinks/testing/index.js';
import {
  aJob,
  agentDirectoryFixture,
  auditTrailFixture,
  mappingResultsFixture,
  workspaceAccessFixture,
  workspacePlansFixture,
} from './port-fixtures.js';

const SUITES = {
  InMemoryAgentDirectory: agentDirectoryConformance(agentDirectoryFixture),
  InMemoryWorkspacePlans: workspacePlansConformance(workspacePlansFixture),
  InMemoryMappingResults: mappingResultsConformance(mappingResultsFixture),
  InMemorySecretVault: secretVaultConformance(() => new InMemorySecretVault()),
  InMemoryAuditTrail: auditTrailConformance(auditTrailFixture),
  StaticTokenAccess: workspaceAccessConformance(workspaceAccessFixture),
};

describe.each(Object.entries(SUITES))('%s', (_adapter, checks) => {
  it.each(checks.map(({ name, run }) => [name, run] as const))('%s', async (_name, run) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('what a test can do with the in-memory ports', () => {
  it('removes an agent', async () => {
    const { directory } = agentDirectoryFixture();
    directory.remove('ws_1', 'agt_1');
    expect(await directory.findAgents(['agt_1'])).toEqual([]);
  });

  it('expires the rows of a job, while the job itself stays', async () => {
    const { results } = mappingResultsFixture();
    results.expire({ workspaceId: 'ws_1', jobId: 'job_3' });
    expect(await results.streamRows({ workspaceId: 'ws_1', jobId: 'job_3', run: 1 })).toBeNull();
    expect(await results.findCompletedJob('ws_1', 'job_3')).not.toBeNull();
  });

  it('runs a job again: the later run is found and listed, the rows of both stay', async () => {
    const { results } = mappingResultsFixture();
    const { job, rows } = aJob(3, 1);
    results.complete({ ...job, run: 2 }, rows);
    expect(await results.findCompletedJob('ws_1', 'job_3')).toMatchObject({ run: 2 });
    expect((await results.listCompletedSince(job.completedAt, null, 9)).map(({ run }) => run)).toEqual([2]);
    for (const [run, count] of [
      [1, 5],
      [2, 1],
    ] as const) {
      const read = [];
      for await (const batch of (await results.streamRows({ workspaceId: 'ws_1', jobId: 'job_3', run })) ?? [])
        read.push(...batch);
      expect(read).toHaveLength(count);
    }
  });

  it('keeps apart what two workspaces have under one id: jobs, their rows, and agents', async () => {
    const { results } = mappingResultsFixture();
    const there = { workspaceId: 'ws_2', jobId: 'job_3', run: 1 };
    results.expire({ workspaceId: 'ws_1', jobId: 'job_3' });
    expect(await results.streamRows({ ...there, workspaceId: 'ws_1' })).toBeNull();
    expect(await results.streamRows(there)).not.toBeNull();

    const { directory } = agentDirectoryFixture();
    const [agent] = await directory.findAgents(['agt_1']);
    if (!agent) throw new Error('the fixture has it');
    directory.put({ ...agent, workspaceId: 'ws_2' });
    expect(await directory.findAgents(['agt_1'])).toEqual([agent, { ...agent, workspaceId: 'ws_2' }]);
    directory.remove('ws_1', 'agt_1');
    expect(await directory.findAgents(['agt_1'])).toEqual([{ ...agent, workspaceId: 'ws_2' }]);
  });

  it('counts the secrets that are left', async () => {
    const vault = new InMemorySecretVault();
    await vault.store({ secretId: 'sec_1', workspaceId: 'ws_1' }, 'value');
    expect(vault.size).toBe(1);
  });
});
