import { Logger } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AgentGatekeeper } from '../../../../src/data-sinks/admin/agent-gatekeeper.js';
import { PushAdmin } from '../../../../src/data-sinks/admin/push-admin.js';
import { RecoveryAdmin } from '../../../../src/data-sinks/admin/recovery-admin.js';
import { RetiredSecrets } from '../../../../src/data-sinks/admin/retired-secrets.js';
import { SecretRotation } from '../../../../src/data-sinks/admin/secret-rotation.js';
import { SinkReactivation } from '../../../../src/data-sinks/admin/sink-reactivation.js';
import { type RequestCaller, WorkspaceAccessGuard } from '../../../../src/data-sinks/admin/workspace-access.guard.js';
import type { DataSink } from '../../../../src/data-sinks/core/data-sink.js';
import type { Delivery } from '../../../../src/data-sinks/core/delivery.js';
import { DeliveryGate } from '../../../../src/data-sinks/pipeline/delivery-gate.js';
import { PORT_WITHIN_MS } from '../../../../src/data-sinks/pipeline/within.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';

const hang = (): Promise<never> => new Promise(() => undefined);
/** Every port of the host's, none of which answers. */
const hanging = {
  ...{ findAgents: hang, findPlans: hang, authenticate: hang, findCompletedJob: hang },
  ...{ store: hang, destroy: hang, record: hang },
};
/** The module's own side, where all goes well. */
const fine = {
  run: <T>(work: (transaction: unknown) => Promise<T>): Promise<T> => work({}),
  find: async () => ({ id: 'dlv_1' }),
  ...{
    reactivate: async () => true,
    survey: async () => ({ now: new Date(), failed: 1, runningId: null }),
    start: async () => true,
  },
};

/** Classes are made of what they ask, in their constructors' order. */
const make = <T>(of: new (...given: never[]) => T, ...given: readonly unknown[]): T => new of(...(given as never[]));

const caller = { workspaceId: 'ws_1', actor: { type: 'token', id: 't' }, ip: null } as unknown as RequestCaller;
const config = { authScheme: 'HmacSha256', maxRowsPerPush: null };
const sink = { id: 'ads_1', workspaceId: 'ws_1', agentId: 'agt_1', status: 'DISABLED', config } as unknown as DataSink;
const ACTIVE = { ...sink, status: 'ACTIVE' } as DataSink;
const agent = { id: 'agt_1', workspaceId: 'ws_1', active: true } as Agent;
const settled = { id: 'dlv_1', agentId: 'agt_1', status: 'FAILED' } as Delivery;
const job = { jobId: 'job_1', agentId: 'agt_1', workspaceId: 'ws_1', stats: { total: 1 } };
const context = {
  switchToHttp: () => ({ getRequest: () => ({ headers: {} }) }),
} as unknown as ExecutionContext;

const gate = make(DeliveryGate, hanging, hanging, []);
const gatekeeper = make(AgentGatekeeper, hanging, fine, gate);
const pushes = (results: unknown): PushAdmin =>
  make(PushAdmin, hanging, fine, fine, results, { recordManual: async () => 'dlv_1' }, { notify: hang }, hanging);
const retired = make(RetiredSecrets, hanging, hanging);
const rotation = make(SecretRotation, fine, fine, hanging, hanging, retired, () => 'sec_1');
const options = { recoverAtMost: 10, recoverWithinMs: 3_600_000 };
const recoveries = make(RecoveryAdmin, fine, fine, hanging, () => 'rcv_1', options);

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
  await jest.advanceTimersByTimeAsync(PORT_WITHIN_MS);
  return Promise.race([ended, Promise.resolve('still waiting')]);
}

describe('a request fails when a port of the host’s never answers', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    ['who calls', 'the access', () => make(WorkspaceAccessGuard, hanging, new Reflector(), {}).canActivate(context)],
    ['whose the agent is', 'the agent directory', () => gatekeeper.agent(caller, 'agt_1')],
    ['what the plan is', 'the plans', () => gatekeeper.requirePlan(caller)],
    ['of which job', 'the results', () => pushes(hanging).push(caller, agent, ACTIVE, 'job_1')],
    [
      'that a push is on record',
      'the audit trail',
      () => pushes({ findCompletedJob: async () => job }).push(caller, agent, ACTIVE, 'job_1'),
    ],
    ['whether the agent is active', 'the agent directory', () => pushes(hanging).redeliver(caller, settled)],
    ['to keep a secret', 'the vault', () => rotation.rotate(caller, ACTIVE, {})],
    [
      'that a secret has ended',
      'the audit trail',
      () => retired.record(caller, sink, ['sec_1'], 'rotated', {} as never),
    ],
    [
      'that a sink is active again',
      'the audit trail',
      () => make(SinkReactivation, fine, fine, hanging, {}, {}).byTest(caller, sink),
    ],
    [
      'that a recovery begins',
      'the audit trail',
      () => recoveries.start(caller, agent, ACTIVE, { since: new Date(Date.now() - 1) }),
    ],
  ])('%s', async (_what, port, request) => {
    expect(await outcome(request())).toBe(`NoAnswerError: ${port} did not answer within ${PORT_WITHIN_MS} ms`);
  });

  it('but for a secret that the vault is to destroy: the sweeper does', async () => {
    expect(await outcome(retired.destroy(sink, ['sec_1']))).toBe('done');
    expect(errors).toMatchObject([{ event: 'secret.not_destroyed', secretId: 'sec_1' }]);
  });
});
