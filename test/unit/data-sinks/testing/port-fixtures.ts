import type {
  AgentDirectoryFixture,
  AuditTrailFixture,
  MappingResultsFixture,
  WorkspaceAccessFixture,
  WorkspacePlansFixture,
} from '../../../../src/data-sinks/testing/index.js';
import {
  InMemoryAgentDirectory,
  InMemoryAuditTrail,
  InMemoryMappingResults,
  InMemoryWorkspacePlans,
  StaticTokenAccess,
} from '../../../../src/data-sinks/testing/index.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import type { Caller } from '../../../../src/data-sinks/ports/workspace-access.js';
import type { JobCompleted, MappingResultRow } from '../../../../src/data-sinks/domain/job-completed.js';

const unknownIds = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `unknown_${i}`);

export function agentDirectoryFixture(): AgentDirectoryFixture & { readonly directory: InMemoryAgentDirectory } {
  const agents: readonly Agent[] = [
    { id: 'agt_1', workspaceId: 'ws_1', active: true, ruleSet: { data_sinks: { auto_push_on_job_complete: true } } },
    { id: 'agt_2', workspaceId: 'ws_1', active: false, ruleSet: null },
    { id: 'agt_3', workspaceId: 'ws_2', active: true, ruleSet: {} },
  ];
  return { directory: new InMemoryAgentDirectory(agents), agents, unknownIds };
}

export function workspacePlansFixture(): WorkspacePlansFixture & { readonly plans: InMemoryWorkspacePlans } {
  const plans = new InMemoryWorkspacePlans({ ws_1: 'PRO_MAX', ws_2: 'FREE' });
  plans.set('ws_3', 'ENTERPRISE');
  const expected = new Map([
    ['ws_1', 'PRO_MAX'],
    ['ws_2', 'FREE'],
    ['ws_3', 'ENTERPRISE'],
  ]);
  return { plans, expected, unknownIds };
}

export function auditTrailFixture(): AuditTrailFixture & { readonly trail: InMemoryAuditTrail } {
  const trail = new InMemoryAuditTrail();
  const readBack: AuditTrailFixture['readBack'] = async (dataSourceId) =>
    trail.entries.filter((entry) => entry.dataSourceId === dataSourceId);
  return { trail, readBack };
}

export function workspaceAccessFixture(): WorkspaceAccessFixture & { readonly access: StaticTokenAccess } {
  const reader: Caller = {
    workspaceId: 'ws_1',
    actor: { type: 'token', id: 'tok_1' },
    scopes: new Set(['data-sinks:read']),
  };
  const admin: Caller = {
    workspaceId: 'ws_2',
    actor: { type: 'user', id: 'usr_2' },
    scopes: new Set(['data-sinks:read', 'data-sinks:write', 'data-sinks:push']),
  };
  const request = (authorization: string) => ({ headers: { authorization }, ip: null, raw: null });
  return {
    access: new StaticTokenAccess({ mt_reader: reader, mt_admin: admin }),
    accepted: [
      { request: request('Bearer mt_reader'), caller: reader },
      { request: request('bearer mt_admin'), caller: admin },
    ],
    refused: [request('Bearer mt_revoked'), request('Bearer mt_reader2'), request('mt_reader')],
  };
}

export function mappingResultsFixture(): MappingResultsFixture & { readonly results: InMemoryMappingResults } {
  const results = new InMemoryMappingResults(2);
  const jobs = [aJob(1, 0), aJob(2, 1), aJob(3, 5)];
  const sameIdElsewhere = aJob(3, 4, 'ws_2');
  for (const { job, rows } of [...jobs.toReversed(), sameIdElsewhere]) results.complete(job, rows);
  return {
    results,
    jobs,
    otherWorkspaceId: 'ws_3',
    sameIdElsewhere,
    unknownJobId: 'job_unknown',
    unfinished: null,
  };
}

export function aJob(
  n: number,
  rowCount: number,
  workspaceId = 'ws_1',
): { job: JobCompleted; rows: readonly MappingResultRow[] } {
  const rows = Array.from({ length: rowCount }, (_, i) =>
    i % 2 === 0
      ? {
          partnerRowId: `row_${workspaceId}_${n}_${i}`,
          referenceHotelId: `ref_${i}`,
          matchMethod: 'STANDARD',
          matchConfidence: 0.5,
        }
      : {
          partnerRowId: `row_${workspaceId}_${n}_${i}`,
          referenceHotelId: null,
          matchMethod: null,
          matchConfidence: null,
        },
  );
  const matched = Math.ceil(rowCount / 2);
  const job: JobCompleted = {
    jobId: `job_${n}`,
    agentId: 'agt_1',
    workspaceId,
    completedAt: new Date(Date.UTC(2026, 4, 25, 12, n)),
    stats: { total: rowCount, matched, unmatched: rowCount - matched },
  };
  return { job, rows };
}
