import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { AccessRequest, Agent, JobCompleted, MappingResultRow } from '../../../src/data-sinks/index.js';
import {
  agentDirectoryConformance,
  mappingResultsConformance,
  workspaceAccessConformance,
  workspacePlansConformance,
} from '../../../src/data-sinks/testing/index.js';
import { Agents } from '../../../src/reference-host/agents/agents.js';
import { RuleSets } from '../../../src/reference-host/agents/rule-sets.js';
import { type HostIdPrefix, newId } from '../../../src/reference-host/ids.js';
import { JobStore } from '../../../src/reference-host/jobs/job-store.js';
import { MappingJobs } from '../../../src/reference-host/jobs/mapping-jobs.js';
import type { StartedHost } from '../../../src/reference-host/start-host.js';
import { ApiTokens } from '../../../src/reference-host/workspaces/api-tokens.js';
import { Workspaces } from '../../../src/reference-host/workspaces/workspaces.js';
import { newTenant, startTestHost } from './host-fixture.js';

let host: StartedHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.app.close());

describe('the host’s agents keep what the module expects of an AgentDirectory', () => {
  const checks = agentDirectoryConformance(async () => {
    const { workspaceId, agentId } = await newTenant(host);
    const other = await newTenant(host);
    const rules = { data_sinks: { auto_push_on_job_complete: true } };
    await host.app.get(RuleSets).add(agentId, {}, 'tok_1');
    await host.app.get(RuleSets).add(agentId, rules, 'tok_1');
    await host.app.get(Agents).setStatus(workspaceId, agentId, 'ACTIVE');
    const agents: Agent[] = [
      { id: agentId, workspaceId, active: true, ruleSet: rules },
      { id: other.agentId, workspaceId: other.workspaceId, active: false, ruleSet: null },
    ];
    return { directory: host.app.get(Agents), agents, unknownIds: fresh('agt') };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('the host’s workspaces keep what the module expects of WorkspacePlans', () => {
  const checks = workspacePlansConformance(async () => {
    const workspaces = host.app.get(Workspaces);
    const expected = new Map([
      [await workspaces.create('A', 'BASIC'), 'BASIC'],
      [await workspaces.create('B', 'ENTERPRISE'), 'ENTERPRISE'],
    ]);
    return { plans: workspaces, expected, unknownIds: fresh('ws') };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('the host’s tokens keep what the module expects of WorkspaceAccess', () => {
  const checks = workspaceAccessConformance(async () => {
    const access = host.app.get(ApiTokens);
    const one = await newTenant(host);
    const two = await newTenant(host, 'PRO_MAX', ['agents:read', 'data-sinks:read']);
    const revoked = await access.issue(one.workspaceId);
    await access.revoke(revoked);
    const accepted = await Promise.all(
      [one, two].map(async ({ token, workspaceId }, i) => {
        const bearer = await access.findBearer(`Bearer ${token}`);
        const scopes = new Set(
          i === 0
            ? (['data-sinks:read', 'data-sinks:write', 'data-sinks:push'] as const)
            : (['data-sinks:read'] as const),
        );
        return {
          request: withToken(token),
          caller: { workspaceId, actor: { type: 'token', id: bearer?.tokenId ?? '' }, scopes },
        };
      }),
    );
    return { access, accepted, refused: [withToken(revoked), withToken('mt_unknown')] };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('the host’s jobs keep what the module expects of MappingResults', () => {
  const checks = mappingResultsConformance(async () => {
    const { workspaceId, agentId } = await newTenant(host);
    const agent = await host.app.get(Agents).find(workspaceId, agentId);
    if (!agent) throw new Error('the agent was just made');
    const jobs: { job: JobCompleted; rows: MappingResultRow[] }[] = [];
    for (const count of [0, 2, 1_001]) {
      const rows = Array.from({ length: count }, (_, i) => row(i));
      // Completions of one millisecond have no order in time.
      while (Date.now() <= (jobs.at(-1)?.job.completedAt.getTime() ?? 0)) await new Promise(setImmediate);
      jobs.push({ job: (await host.app.get(MappingJobs).complete(agent, null, batches(rows))).job, rows });
    }
    const other = await newTenant(host);
    const otherAgent = await host.app.get(Agents).find(other.workspaceId, other.agentId);
    if (!otherAgent) throw new Error('the agent was just made');
    const rows = [row(0), row(1)].map((one) => ({ ...one, partnerRowId: `${one.partnerRowId}_elsewhere` }));
    const sameId = jobs[1]?.job.jobId ?? '';
    const elsewhere = await host.app.get(MappingJobs).complete(otherAgent, sameId, batches(rows));
    const unfinished = { jobId: newId('job'), workspaceId };
    await host.app.get(JobStore).open({ ...unfinished, agentId });
    return {
      results: host.app.get(JobStore),
      jobs,
      otherWorkspaceId: newId('ws'),
      sameIdElsewhere: { job: elsewhere.job, rows },
      unknownJobId: newId('job'),
      unfinished,
    };
  });
  for (const { name, run } of checks) it(name, run);
});

function fresh(prefix: HostIdPrefix): (count: number) => string[] {
  return (count) => Array.from({ length: count }, () => newId(prefix));
}

function withToken(token: string): AccessRequest {
  return { headers: { authorization: `Bearer ${token}` }, ip: null, raw: null };
}

function row(index: number): MappingResultRow {
  const matched = index % 2 === 0;
  return {
    partnerRowId: `row_${index}`,
    referenceHotelId: matched ? `ref_${index}` : null,
    matchMethod: matched ? 'STANDARD' : null,
    matchConfidence: matched ? 0.1 : null,
  };
}

async function* batches(rows: readonly MappingResultRow[]): AsyncGenerator<readonly MappingResultRow[]> {
  if (rows.length > 0) yield rows;
}
