import { describe, expect, it } from '@jest/globals';
import { DATA_SINK_EVENTS } from '../../src/data-sinks/index.js';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { Body } from '../support/platform/api-client.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** Nobody waits for these. */
const platform = suitePlatform({ options: { retryWaitsMs: [3_600_000] } });

const DOWN: ReceiverStep = { kind: 'answer', status: 503 };
const UP: ReceiverStep = { kind: 'answer' };

interface Waiting {
  readonly sink: Sink;
  readonly endpoint: Endpoint;
  readonly delivery: Body;
}

/** A delivery whose first attempt failed, and whose first retry is due in an hour. */
async function waiting(steps: readonly ReceiverStep[] = [DOWN, UP], rules = {}): Promise<Waiting> {
  const agent = await (await platform().customer()).agent(rules);
  const endpoint = await platform().receiver.endpoint(steps);
  const sink = await agent.sink(endpoint);
  const { id } = await sink.deliveryOf(await agent.finishJob());
  const failed = ({ status, attemptCount }: Body): boolean => status === 'RETRYING' && attemptCount === 1;
  return { sink, endpoint, delivery: await agent.customer.deliveryWhen(id, failed, 'it waits for its retry') };
}

const ask = (sink: Sink, id: string, what: 'retry-now' | 'cancel') => sink.api.post(`deliveries/${id}/${what}`);

const auditOf = (id: string) =>
  platform().sql<{ action: string; actor_type: string; details: Record<string, unknown> }>(
    'SELECT action, actor_type, details FROM agent_data_source_audit WHERE delivery_id = $1 ORDER BY id',
    [id],
  );

describe('retry-now', () => {
  it('ends the wait: the retry is sent at once, and is the one that was waited for', async () => {
    const { sink, endpoint, delivery } = await waiting();
    expect(Date.parse(delivery.nextAttemptAt)).toBeGreaterThan(Date.now() + 3_000_000);
    const answer = expectStatus(await ask(sink, delivery.id, 'retry-now'), 202);
    expect(answer).toMatchObject({ id: delivery.id, retriesSpent: 1, trigger: 'AUTO' });
    expect(await sink.agent.customer.settled(delivery.id)).toMatchObject({
      ...{ status: 'DELIVERED', attemptCount: 2, retriesSpent: 1, trigger: 'AUTO' },
    });
    expect(endpoint.requests.map(({ headers }) => headers['x-mt-attempt'])).toEqual(['1', '2']);
    expect(await auditOf(delivery.id)).toContainEqual({
      ...{ action: 'RETRY_REQUESTED', actor_type: 'token' },
      details: expect.objectContaining({ previousStatus: 'RETRYING', wasDueAt: delivery.nextAttemptAt }),
    });
  });

  it('gives no retry that the rules do not allow', async () => {
    const { sink, delivery } = await waiting([DOWN], { retry_failed_push: 1 });
    expectStatus(await ask(sink, delivery.id, 'retry-now'), 202);
    expect(await sink.agent.customer.settled(delivery.id)).toMatchObject({
      ...{ status: 'FAILED', reason: 'retries_exhausted', attemptCount: 2 },
    });
  });

  it('is no way around the gate: a paused agent, an inactive sink and a plan without sinks refuse it', async () => {
    const { sink, endpoint, delivery } = await waiting();
    const { agent } = sink;
    const refusal = async (status: number): Promise<string> =>
      expectStatus(await ask(sink, delivery.id, 'retry-now'), status).type.replace(/.*\//, '');
    await platform().changePlan(agent.customer.workspaceId, 'BASIC');
    expect(await refusal(403)).toBe('plan-required');
    await platform().changePlan(agent.customer.workspaceId, 'PRO_MAX');
    await agent.pause();
    expect(await refusal(409)).toBe('agent-inactive');
    await agent.activate();
    expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE' }), 200);
    expect(await refusal(409)).toBe('sink-inactive');
    expect(endpoint.requests).toHaveLength(1);
  });

  it('is no way around the pace of a sink', async () => {
    const { sink, endpoint, delivery } = await waiting();
    // Its allowance for the next hour is used up.
    await platform().sql(
      `UPDATE agent_data_source SET config = config || '{"maxPushesPerSecond": 1}', paced_from = now() + interval '1 hour'
        WHERE id = $1`,
      [sink.id],
    );
    const { nextAttemptAt } = expectStatus(await ask(sink, delivery.id, 'retry-now'), 202);
    expect(Date.parse(nextAttemptAt)).toBeLessThanOrEqual(Date.now() + 60_000);
    // Another one, made later, has come and gone meanwhile: the workers have looked.
    const other = await sink.agent.sink(await platform().receiver.endpoint());
    expect(await other.settledPush()).toMatchObject({ status: 'DELIVERED' });
    expect(endpoint.requests).toHaveLength(1);
    await platform().sql('UPDATE agent_data_source SET paced_from = NULL WHERE id = $1', [sink.id]);
    expect(await sink.agent.customer.settled(delivery.id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });
});

describe('cancelling', () => {
  it('ends a waiting delivery CANCELLED, audited and told to the host; it can be redelivered', async () => {
    const { sink, endpoint, delivery } = await waiting();
    const heard: Body[] = [];
    const emitter = platform().app.get(EventEmitter2, { strict: false });
    const listen = (event: Body): void => void heard.push(event);
    emitter.on(DATA_SINK_EVENTS.pushCancelled, listen);
    const answer = expectStatus(await ask(sink, delivery.id, 'cancel'), 200);
    expect(answer).toMatchObject({ status: 'CANCELLED', reason: 'requested', nextAttemptAt: null, retriesSpent: 1 });
    expect(answer.settledAt).not.toBeNull();
    await until(() => heard.length > 0, 'the host hears of it');
    emitter.off(DATA_SINK_EVENTS.pushCancelled, listen);
    expect(heard).toEqual([expect.objectContaining({ deliveryId: delivery.id, reason: 'requested', attempts: 1 })]);
    await platform().audited();
    expect((await auditOf(delivery.id)).map(({ action, actor_type }) => [action, actor_type])).toEqual(
      expect.arrayContaining([
        ['CANCELLATION_REQUESTED', 'token'],
        ['AGENT_RESULTS_PUSH_CANCELLED', 'agent'],
      ]),
    );
    expect(endpoint.requests).toHaveLength(1);
    expectStatus(await sink.api.post(`deliveries/${delivery.id}/redeliver`), 202);
    expect(await sink.agent.customer.settled(delivery.id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });

  it('of one part ends the last part of the job, which would wait for ever', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([DOWN]);
    const sink = await agent.sink(endpoint, {
      config: { url: endpoint.url, authScheme: 'HmacSha256', maxRowsPerPush: 2 },
    });
    const jobId = await agent.finishJob();
    const parts = async (): Promise<Body[]> => sink.deliveries(`?jobId=${jobId}&order=oldest`);
    await until(async () => (await parts())[0]?.status === 'RETRYING', 'the first part waits');
    const [first, last] = await parts();
    const early = expectStatus(await ask(sink, last?.id, 'retry-now'), 409);
    expect(early.type).toMatch(/\/delivery-not-waiting$/);
    expectStatus(await ask(sink, first?.id, 'cancel'), 200);
    expect(await agent.customer.settled(last?.id)).toMatchObject({ status: 'FAILED', reason: 'parts_incomplete' });
  });
});

describe('409 delivery-not-waiting is the answer', () => {
  const expectRefusal = async (sink: Sink, id: string): Promise<void> => {
    const before = await sink.agent.customer.delivery(id);
    for (const what of ['retry-now', 'cancel'] as const) {
      const problem = expectStatus(await ask(sink, id, what), 409);
      expect(problem).toMatchObject({ type: expect.stringMatching(/\/delivery-not-waiting$/), deliveryId: id });
    }
    expect(await sink.agent.customer.delivery(id)).toEqual(before);
  };

  it.each([
    ['DELIVERED', UP],
    ['FAILED', { kind: 'answer', status: 400 } as const],
  ])('for a delivery that is %s', async (status, step) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint([step]));
    const { id, status: ended } = await sink.settledPush();
    expect(ended).toBe(status);
    await expectRefusal(sink, id);
  });

  it('for one that was cancelled already', async () => {
    const { sink, delivery } = await waiting();
    expectStatus(await ask(sink, delivery.id, 'cancel'), 200);
    await expectRefusal(sink, delivery.id);
  });

  it('for one that is being sent', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'hang' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    await expectRefusal(sink, id);
  });
});
