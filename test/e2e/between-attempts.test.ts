import { describe, expect, it } from '@jest/globals';
import type { Body } from '../support/platform/api-client.js';
import { expectStatus, type Agent, type Sink } from '../support/platform/customer.js';
import type { ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

/** The contract's own waits. Nobody sits through them: once the record says how long one is, the test makes it due. */
const platform = suitePlatform({ options: { retryWaitsMs: [5_000, 30_000, 300_000] } });

const DOWN_THEN_UP: readonly ReceiverStep[] = [{ kind: 'answer', status: 503 }, { kind: 'answer' }];

async function failedOnce(
  steps: readonly ReceiverStep[] = DOWN_THEN_UP,
  rules = {},
): Promise<{ sink: Sink; delivery: Body }> {
  const agent = await (await platform().customer()).agent(rules);
  const sink = await agent.sink(await platform().receiver.endpoint(steps));
  return { sink, delivery: await waiting(agent, (await sink.deliveryOf(await agent.finishJob())).id, 1) };
}

function waiting(agent: Agent, id: string, attempts: number): Promise<Body> {
  const isWaiting = ({ status, attemptCount }: Body): boolean => status === 'RETRYING' && attemptCount === attempts;
  return agent.customer.deliveryWhen(id, isWaiting, `attempt ${attempts} failed`);
}

/** From the end of the last attempt to the next one, in milliseconds. */
function waitOf({ nextAttemptAt, attempts }: Body): number {
  return Date.parse(nextAttemptAt) - Date.parse(attempts[0].finishedAt);
}

describe('the waits between attempts', () => {
  it('are 5 s, 30 s, 5 min, and 5 min for every later retry, plus at most 10 %', async () => {
    const { sink, delivery } = await failedOnce([{ kind: 'answer', status: 500 }], { retry_failed_push: 5 });
    const waits = [waitOf(delivery)];
    for (let attempt = 2; attempt <= 5; attempt++) {
      await sink.agent.customer.hurry(delivery.id);
      waits.push(waitOf(await waiting(sink.agent, delivery.id, attempt)));
    }
    for (const [i, planned] of [5_000, 30_000, 300_000, 300_000, 300_000].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(planned);
      expect(waits[i]).toBeLessThanOrEqual(planned * 1.1 + 1);
    }
    await sink.agent.customer.hurry(delivery.id);
    expect(await sink.agent.customer.settled(delivery.id)).toMatchObject({ status: 'FAILED', attemptCount: 6 });
  });

  it.each([
    ['lengthens the wait', '60', 60_000],
    ['never shortens it', '1', 5_000],
    ['counts up to an hour', '86400', 3_600_000],
    ['may be a date', new Date(Date.now() + 86_400_000).toUTCString(), 3_600_000],
    ['is passed over when it cannot be read', 'soon', 5_000],
  ])('Retry-After %s', async (_name, retryAfter, expected) => {
    const steps = [{ kind: 'answer', status: 503, headers: { 'Retry-After': retryAfter } }] as const;
    const wait = waitOf((await failedOnce(steps)).delivery);
    expect(wait).toBeGreaterThanOrEqual(expected);
    expect(wait).toBeLessThanOrEqual(expected * 1.1 + 1);
  });

  it('respect the Retry-After of a 429 for a sink that retries it', async () => {
    const agent = await (await platform().customer()).agent();
    const limited = { kind: 'answer', status: 429, headers: { 'Retry-After': '7' } } as const;
    const endpoint = await platform().receiver.endpoint([limited, { kind: 'answer' }]);
    const config = { url: endpoint.url, authScheme: 'HmacSha256', retryableStatuses: [429] };
    const { id } = await (await agent.sink(endpoint, { config })).deliveryOf(await agent.finishJob());
    const delivery = await waiting(agent, id, 1);
    expect(waitOf(delivery)).toBeGreaterThanOrEqual(7_000);
    expect(delivery).toMatchObject({ lastAttemptStatus: 'HTTP_4XX', lastErrorCode: 'rejected_by_receiver' });
    await agent.customer.hurry(id);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });
});

describe('everything is checked again before each attempt: a waiting delivery ends CANCELLED', () => {
  const changes: readonly (readonly [string, string, (sink: Sink) => Promise<unknown>])[] = [
    [
      'the plan is downgraded',
      'plan_required',
      ({ agent: { customer } }) => platform().changePlan(customer.workspaceId, 'BASIC'),
    ],
    ['the agent is paused', 'agent_inactive', ({ agent }) => agent.pause()],
    ['auto-push is switched off', 'auto_push_off', ({ agent }) => agent.setRules({ auto_push_on_job_complete: false })],
    [
      'the data sinks section is taken out of the rules',
      'auto_push_off',
      ({ agent }) => agent.api.post(`${agent.path}/rule-sets`, {}),
    ],
    ['the sink is set INACTIVE', 'sink_inactive', ({ api, path }) => api.patch(path, { status: 'INACTIVE' })],
    ['the sink is deleted', 'sink_inactive', ({ api, path }) => api.delete(path)],
  ];

  it.each(changes)('when %s (%s)', async (_name, reason, change) => {
    const { sink, delivery } = await failedOnce();
    const { customer } = sink.agent;
    await change(sink);
    await customer.hurry(delivery.id);
    const ended = await customer.settled(delivery.id);
    expect(ended).toMatchObject({ status: 'CANCELLED', reason, attemptCount: 1, nextAttemptAt: null });
    expect(ended.attempts).toHaveLength(1);
  });

  it('but a manual push ignores the auto-push rule', async () => {
    const customer = await platform().customer();
    const agent = await customer.agent();
    const jobId = await agent.finishJob();
    const sink = await agent.sink(await platform().receiver.endpoint(DOWN_THEN_UP));
    const { id } = expectStatus(await sink.api.post(`${sink.path}/pushes`, { jobId }), 202);
    await waiting(agent, id, 1);
    await agent.setRules({ auto_push_on_job_complete: false });
    await customer.hurry(id);
    expect(await customer.settled(id)).toMatchObject({ status: 'DELIVERED', trigger: 'MANUAL', attemptCount: 2 });
  });

  it('and the next attempt uses the sink’s current endpoint and secret', async () => {
    const { sink, delivery } = await failedOnce();
    const value = 'another secret since the first attempt';
    const moved = await platform().receiver.endpoint([{ kind: 'answer' }], value);
    const patch = { config: { url: moved.url }, secret: { value } };
    expect(expectStatus(await sink.api.patch(sink.path, patch), 200)).toMatchObject({ configVersion: 2 });
    await sink.agent.customer.hurry(delivery.id);
    const { status, attempts } = await sink.agent.customer.settled(delivery.id);
    expect(status).toBe('DELIVERED');
    expect(attempts).toMatchObject([{ url: moved.url, configVersion: 2 }, { configVersion: 1 }]);
    expect(await moved.first()).toMatchObject({ signatureIsValid: true, headers: { 'x-mt-attempt': '2' } });
  });
});

describe('no delivery is created', () => {
  it.each([
    ['while auto-push is off, as it is by default', async (agent: Agent) => agent.activate()],
    [
      'while auto-push is set to false',
      async (agent: Agent) => {
        await agent.setRules({ auto_push_on_job_complete: false });
        await agent.activate();
      },
    ],
    ['while the agent is a draft', (agent: Agent) => agent.setRules({ auto_push_on_job_complete: true })],
    [
      'while the agent is paused',
      async (agent: Agent) => {
        await agent.setRules({ auto_push_on_job_complete: true });
        await agent.activate();
        await agent.pause();
      },
    ],
  ])('%s', async (_name, prepare) => {
    const agent = await (await platform().customer()).draftAgent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    await prepare(agent);
    await agent.finishJob();
    expect(await sink.deliveries()).toEqual([]);
  });

  it('for an inactive sink, nor after it is active again', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE' }), 200);
    await agent.finishJob();
    expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
    expect(await sink.deliveries()).toEqual([]);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });

  it('that is sent while the workspace’s plan has no data sinks', async () => {
    const customer = await platform().customer();
    const agent = await customer.agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    await platform().changePlan(customer.workspaceId, 'PRO');
    expect(await sink.settledPush()).toMatchObject({ status: 'CANCELLED', reason: 'plan_required', attemptCount: 0 });
    expect(endpoint.requests).toEqual([]);
  });
});
