import { randomBytes } from 'node:crypto';
import { Audit } from '../../../../src/data-sinks/database/audit/audit.js';
import { Logger } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AgentGatekeeper } from '../../../../src/data-sinks/api/agent-gatekeeper.js';
import { PushAdmin } from '../../../../src/data-sinks/api/push-admin.js';
import { RecoveryAdmin } from '../../../../src/data-sinks/recovery/recovery-admin.js';
import { RetiredSecrets } from '../../../../src/data-sinks/sinks/retired-secrets.js';
import { Destinations } from '../../../../src/data-sinks/destinations/destinations.js';
import { HttpsWebhookDestination } from '../../../../src/data-sinks/destinations/https-webhook/https-webhook.destination.js';
import { SecretRotation } from '../../../../src/data-sinks/sinks/secret-rotation.js';
import { SinkCircuit } from '../../../../src/data-sinks/settlement/sink-circuit.js';
import type { RequestCaller } from '../../../../src/data-sinks/ports/workspace-access.js';
import { WorkspaceAccessGuard } from '../../../../src/data-sinks/api/http/workspace-access.guard.js';
import type { DataSink } from '../../../../src/data-sinks/domain/data-sink.js';
import type { Delivery } from '../../../../src/data-sinks/domain/delivery.js';
import {
  BoundAgentDirectory,
  BoundAuditTrail,
  BoundMappingResults,
  BoundSecretVault,
  BoundWorkspaceAccess,
  BoundWorkspacePlans,
} from '../../../../src/data-sinks/ports/bound/index.js';
import { RuleSetWarnings } from '../../../../src/data-sinks/ports/bound/rule-set-warnings.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import { newOutages } from '../../../support/outages.js';

const hang = (): Promise<never> => new Promise(() => undefined);
/** Every port of the host's, none of which answers. */
const host = {
  ...{ findAgents: hang, findPlans: hang, authenticate: hang, findCompletedJob: hang },
  ...{ store: hang, destroy: hang, record: hang },
} as never;
const LIMIT_MS = 10_000;
const agents = new BoundAgentDirectory(host, LIMIT_MS, new RuleSetWarnings());
const plans = new BoundWorkspacePlans(host, LIMIT_MS);
const access = new BoundWorkspaceAccess(host, LIMIT_MS);
const results = new BoundMappingResults(host, { answerMs: LIMIT_MS, rowsMs: 1, listMs: 1 });
const vault = new BoundSecretVault(host, { answerMs: LIMIT_MS, sweepMs: 1 });
const audit = new Audit(new BoundAuditTrail(host, LIMIT_MS));
/** The module's own side, where all goes well. */
const fine = {
  transaction: <T>(work: (transaction: unknown) => Promise<T>): Promise<T> => work(fine),
  execute: async () => 1,
  find: async () => ({ id: 'dlv_1' }),
  before: async () => undefined,
  ...{
    reactivate: async () => true,
    survey: async () => ({ now: new Date(), failed: 1, runningId: null }),
    start: async () => true,
  },
};

/** Classes are made of what they ask, in their constructors' order. */
const make = <T, Asked extends unknown[]>(
  of: new (...asked: Asked) => T,
  ...given: { [At in keyof Asked]: unknown }
): T => new of(...(given as Asked));

const caller = { workspaceId: 'ws_1', actor: { type: 'token', id: 't' }, ip: null } as unknown as RequestCaller;
const config = { authScheme: 'HmacSha256', maxRowsPerPush: null };
const sink = {
  id: 'ads_1',
  workspaceId: 'ws_1',
  agentId: 'agt_1',
  type: 'HTTPS_WEBHOOK',
  status: 'DISABLED',
  config,
} as unknown as DataSink;
const ACTIVE = { ...sink, status: 'ACTIVE' } as DataSink;
const agent = { id: 'agt_1', workspaceId: 'ws_1', active: true } as Agent;
const settled = { id: 'dlv_1', agentId: 'agt_1', status: 'FAILED' } as Delivery;
const job = { jobId: 'job_1', agentId: 'agt_1', workspaceId: 'ws_1', stats: { total: 1 } };
const context = {
  switchToHttp: () => ({ getRequest: () => ({ headers: {} }) }),
} as unknown as ExecutionContext;

const gatekeeper = make(AgentGatekeeper, agents, fine, plans, { entitledPlans: [] });
const pushes = (given: unknown): PushAdmin =>
  make(PushAdmin, gatekeeper, fine, given, { recordManual: async () => 'dlv_1' }, { notify: hang }, audit);
const retired = make(RetiredSecrets, vault, audit);
const webhook = make(HttpsWebhookDestination, fine, fine, fine, randomBytes, { allowedPorts: [443] });
const destinations = new Destinations([webhook]);
const rotation = make(SecretRotation, fine, fine, vault, audit, retired, fine, () => 'sec_1', destinations);
const options = { recoverAtMost: 10, recoverWithinMs: 3_600_000 };
const recoveries = make(RecoveryAdmin, fine, fine, audit, () => 'rcv_1', options);

let errors: unknown[];
beforeEach(() => {
  errors = [];
  jest.useFakeTimers();
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** What came of it when all the time that a port has is over. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  const ended = work.then(
    () => 'done',
    (error: unknown) => String(error),
  );
  await jest.advanceTimersByTimeAsync(LIMIT_MS);
  return Promise.race([ended, Promise.resolve('still waiting')]);
}

describe('a request fails when a port of the host’s never answers', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    [
      'who calls',
      'WorkspaceAccess.authenticate()',
      () => make(WorkspaceAccessGuard, access, new Reflector(), {}, newOutages()).canActivate(context),
    ],
    ['whose the agent is', 'AgentDirectory.findAgents()', () => gatekeeper.agent(caller, 'agt_1')],
    ['what the plan is', 'WorkspacePlans.findPlans()', () => gatekeeper.requirePlan(caller)],
    ['of which job', 'MappingResults.findCompletedJob()', () => pushes(results).push(caller, agent, ACTIVE, 'job_1')],
    [
      'that a push is on record',
      'AuditTrail.record()',
      () => pushes({ findCompletedJob: async () => job }).push(caller, agent, ACTIVE, 'job_1'),
    ],
    ['whether the agent is active', 'AgentDirectory.findAgents()', () => pushes(results).redeliver(caller, settled)],
    ['to keep a secret', 'SecretVault.store()', () => rotation.rotate(caller, ACTIVE, {})],
    [
      'that a secret has ended',
      'AuditTrail.record()',
      () => retired.record(caller, sink, ['sec_1'], 'rotated', {} as never),
    ],
    [
      'that a sink is active again',
      'AuditTrail.record()',
      () => make(SinkCircuit, fine, {}, audit, {}, {}, {}).passedTest(caller, sink),
    ],
    [
      'that a recovery begins',
      'AuditTrail.record()',
      () => recoveries.start(caller, agent, ACTIVE, { since: new Date(Date.now() - 1) }),
    ],
  ])('%s', async (_what, port, request) => {
    expect(await outcome(request())).toBe(`NoAnswerError: ${port} did not answer within ${LIMIT_MS} ms`);
  });

  it('except when the vault fails to destroy a secret, which the sweeper retries', async () => {
    expect(await outcome(retired.destroy(sink, ['sec_1']))).toBe('done');
    expect(errors).toMatchObject([{ event: 'secret.not_destroyed', secretId: 'sec_1' }]);
  });
});
