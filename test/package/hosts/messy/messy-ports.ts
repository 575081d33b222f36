import type {
  AccessRequest,
  Agent,
  AgentDirectory,
  Caller,
  DataSinksPorts,
  JobCompleted,
  MappingResults,
  WorkspaceAccess,
  WorkspacePlans,
} from 'nestjs-data-sinks';
import { SCOPES } from 'nestjs-data-sinks';
import { InMemoryMappingResults } from 'nestjs-data-sinks/testing';
import { ClsServiceManager } from 'nestjs-cls';

const PLANS: Readonly<Record<string, string>> = { ws_pro: 'PRO_MAX', ws_basic: 'BASIC' };
const WHO: Readonly<Record<string, Pick<Caller, 'workspaceId' | 'scopes'>>> = {
  mt_all: { workspaceId: 'ws_pro', scopes: new Set(SCOPES) },
  mt_reads: { workspaceId: 'ws_pro', scopes: new Set(['data-sinks:read'] as const) },
  mt_basic: { workspaceId: 'ws_basic', scopes: new Set(SCOPES) },
};

/** Of an agent: `agt_pro_…`, `agt_basic_…`; `agt_paused_…` is not active. */
export const workspaceOf = (agentId: string): string => (agentId.startsWith('agt_basic') ? 'ws_basic' : 'ws_pro');

const results = new InMemoryMappingResults();

/** Whose request, if any, the questions of the worker were asked in. */
export const seenByWorker: unknown[] = [];

class Agents implements AgentDirectory {
  async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
    const ruleSet = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 0 } };
    const known = ids.filter((id) => /^agt_(pro|basic|paused)/.test(id));
    return known.map((id) => ({
      id,
      workspaceId: workspaceOf(id),
      active: !id.startsWith('agt_paused'),
      ruleSet,
    }));
  }
}

class Plans implements WorkspacePlans {
  async findPlans(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(ids.map((id) => [id, PLANS[id] ?? 'FREE']));
  }
}

class Results implements MappingResults {
  findCompletedJob: MappingResults['findCompletedJob'] = (...job) => results.findCompletedJob(...job);
  streamRows: MappingResults['streamRows'] = (job) => {
    const cls = ClsServiceManager.getClsService();
    seenByWorker.push(cls.isActive() ? cls.getId() : null);
    return results.streamRows(job);
  };
}

class Tokens implements WorkspaceAccess {
  async authenticate({ headers }: AccessRequest): Promise<Caller | null> {
    const [, token = ''] = /^Bearer (.+)$/.exec(String(headers['authorization'])) ?? [];
    // What a host's own code may come to, and what its database may.
    if (token === 'mt_breaks') throw new TypeError("Cannot read properties of undefined (reading 'id')");
    if (token === 'mt_away') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const known = WHO[token];
    return known ? { ...known, actor: { type: 'token', id: token.slice(3) } } : null;
  }
}

export const ports: DataSinksPorts = {
  agentDirectory: Agents,
  workspacePlans: Plans,
  mappingResults: Results,
  workspaceAccess: Tokens,
};

export interface JobOrder {
  readonly jobId: string;
  readonly agentId: string;
  readonly rows: number;
}

/** Stores the results of a job. What is told of it to the module is up to the host. */
export function finish({ jobId, agentId, rows }: JobOrder): JobCompleted {
  const workspaceId = workspaceOf(agentId);
  const stats = { total: rows, matched: rows, unmatched: 0 };
  const job = { jobId, agentId, workspaceId, completedAt: new Date('2026-05-25T12:34:56Z'), stats };
  const rowsOf = Array.from({ length: rows }, (_, i) => ({
    partnerRowId: `row_${i}`,
    referenceHotelId: `ref_${i}`,
    matchMethod: 'STANDARD',
    matchConfidence: 0.5,
  }));
  results.complete(job, rowsOf);
  return job;
}
