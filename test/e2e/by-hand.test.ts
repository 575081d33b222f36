import { describe, expect, it } from '@jest/globals';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

/** An active agent without auto-push, a sink that nobody has pushed to, and a finished job. */
async function finishedJob(): Promise<{ agent: Agent; sink: Sink; jobId: string }> {
  const agent = await (await platform().customer()).draftAgent();
  await agent.activate();
  const sink = await agent.sink(await platform().receiver.endpoint());
  return { agent, sink, jobId: await agent.finishJob() };
}

function push(sink: Sink, jobId: string): ReturnType<Sink['api']['post']> {
  return sink.api.post(`${sink.path}/pushes`, { jobId });
}

describe('a manual push', () => {
  it('sends a completed job, whatever the auto-push rule says', async () => {
    const { agent, sink, jobId } = await finishedJob();
    expect(await sink.deliveries()).toEqual([]);
    const made = expectStatus(await push(sink, jobId), 202);
    expect(made).toMatchObject({
      id: expect.stringMatching(/^dlv_/),
      jobId,
      dataSourceId: sink.id,
      trigger: 'MANUAL',
      retriesAllowed: 2,
    });
    expect(await agent.customer.settled(made.id)).toMatchObject({
      status: 'DELIVERED',
      attempts: [{ trigger: 'MANUAL' }],
    });
  });

  it('of a job that was pushed to this sink before returns the existing delivery id', async () => {
    const { sink, jobId } = await finishedJob();
    const { id } = expectStatus(await push(sink, jobId), 202);
    const refused = expectStatus(await push(sink, jobId), 409);
    expect(refused).toMatchObject({ type: 'https://mapping.travel/errors/delivery-exists', deliveryId: id });
    expect(await sink.deliveries()).toHaveLength(1);
  });

  it('requested twice at once creates one delivery', async () => {
    const { sink, jobId } = await finishedJob();
    const answers = await Promise.all([push(sink, jobId), push(sink, jobId), push(sink, jobId)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    const [delivery] = await sink.deliveries();
    for (const { status, body } of answers) if (status === 409) expect(body.deliveryId).toBe(delivery.id);
  });

  it('of a job that was pushed automatically is refused as a duplicate', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const delivery = await sink.settledPush();
    expect(expectStatus(await push(sink, delivery.jobId), 409)).toMatchObject({ deliveryId: delivery.id });
  });

  it('sends an old job to a sink that was added later', async () => {
    const { agent, jobId } = await finishedJob();
    const later = await agent.sink(await platform().receiver.endpoint());
    const { id } = expectStatus(await push(later, jobId), 202);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', dataSourceId: later.id });
  });

  it.each([
    ['that does not exist', async () => 'job_00000000000000000000000000'],
    ['that is no id', async () => 'yesterday’s'],
    ['of another agent', async ({ customer }: Agent) => (await customer.agent()).finishJob()],
    ['of another workspace', async () => (await (await platform().customer()).agent()).finishJob()],
  ])('of a job %s is refused', async (_name, jobOf) => {
    const { agent, sink } = await finishedJob();
    const refused = expectStatus(await push(sink, await jobOf(agent)), 422);
    expect(refused).toMatchObject({
      type: 'https://mapping.travel/errors/validation-failed',
      errors: [{ pointer: '/jobId', detail: 'is not a finished job of this agent' }],
    });
    expect(await sink.deliveries()).toEqual([]);
  });

  it.each([
    ['the agent is paused', 'agent-inactive', ({ agent }: Sink) => agent.pause()],
    ['the sink is not active', 'sink-inactive', ({ api, path }: Sink) => api.patch(path, { status: 'INACTIVE' })],
  ])('is refused while %s', async (_name, code, change) => {
    const { sink, jobId } = await finishedJob();
    await change(sink);
    expect(expectStatus(await push(sink, jobId), 409).type).toBe(`https://mapping.travel/errors/${code}`);
    expect(await sink.deliveries()).toEqual([]);
  });

  it('is audited with the caller', async () => {
    const { sink, jobId } = await finishedJob();
    const { id } = expectStatus(await push(sink, jobId), 202);
    await sink.agent.customer.settled(id);
    const audit = 'SELECT action, actor_type, actor_id, details FROM agent_data_source_audit WHERE delivery_id = $1';
    await platform().audited();
    const lines = await platform().sql(audit, [id]);
    expect(lines).toHaveLength(2);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'PUSH_REQUESTED', actor_type: 'token', details: { jobId } }),
        expect.objectContaining({ action: 'AGENT_RESULTS_PUSHED', actor_type: 'agent', actor_id: sink.agent.id }),
      ]),
    );
  });
});

describe('a redelivery', () => {
  it('sends the same bytes under the same id, and continues the attempt numbers', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 1 });
    const endpoint = await platform().receiver.endpoint([
      { kind: 'answer', status: 500 },
      { kind: 'answer', status: 400 },
      { kind: 'answer' },
    ]);
    const sink = await agent.sink(endpoint);
    const failed = await sink.settledPush(resultRows(50));
    expect(failed).toMatchObject({ status: 'FAILED', attemptCount: 2 });

    const due = expectStatus(await sink.api.post(`deliveries/${failed.id}/redeliver`), 202);
    expect(due).toMatchObject({ id: failed.id, trigger: 'REDELIVERY', reason: null, settledAt: null });
    const delivery = await agent.customer.settled(failed.id);
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 3, trigger: 'REDELIVERY' });
    expect(delivery.attempts).toMatchObject([
      { attemptNumber: 3, trigger: 'REDELIVERY', status: 'SUCCEEDED' },
      { attemptNumber: 2, trigger: 'AUTO' },
      { attemptNumber: 1, trigger: 'AUTO' },
    ]);
    const requests = await endpoint.received(3);
    expect(new Set(requests.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers['x-mt-delivery-id']))).toEqual(new Set([failed.id]));
    expect(requests.map(({ headers }) => headers['x-mt-attempt'])).toEqual(['1', '2', '3']);
  });

  it('is one attempt, without a new series of retries', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 10 });
    const endpoint = await platform().receiver.endpoint([
      { kind: 'answer', status: 404 },
      { kind: 'answer', status: 500 },
    ]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.settledPush();
    expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
    expect(await agent.customer.settled(id)).toMatchObject({
      status: 'FAILED',
      reason: 'retries_exhausted',
      attemptCount: 2,
    });
  });

  it('works for a cancelled delivery', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'hold', status: 500 }, { kind: 'answer' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    await agent.pause();
    await endpoint.release();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'CANCELLED', reason: 'agent_inactive' });
    await agent.activate();
    expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', reason: null, attemptCount: 2 });
  });

  it('works for a delivered one, and with auto-push off', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { id } = await sink.settledPush();
    await agent.setRules({ auto_push_on_job_complete: false });
    expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });

  it('of an unsettled delivery is refused', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'hold' }, { kind: 'answer' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    const refused = expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 409);
    expect(refused).toMatchObject({ type: 'https://mapping.travel/errors/delivery-unsettled', deliveryId: id });
    await endpoint.release();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 1, trigger: 'AUTO' });
  });

  it('requested twice at once is one attempt', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }, { kind: 'hold' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.settledPush();
    const answers = await Promise.all([1, 2, 3].map(() => sink.api.post(`deliveries/${id}/redeliver`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    await endpoint.received(2);
    await endpoint.release();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });

  it.each([
    ['the agent is paused', 'agent-inactive', ({ agent }: Sink) => agent.pause()],
    ['the sink is deleted', 'sink-inactive', ({ api, path }: Sink) => api.delete(path)],
  ])('is refused while %s', async (_name, code, change) => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { id } = await sink.settledPush();
    await change(sink);
    const refused = expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 409);
    expect(refused.type).toBe(`https://mapping.travel/errors/${code}`);
    expect(await agent.customer.delivery(id)).toMatchObject({ status: 'DELIVERED', trigger: 'AUTO' });
  });
});

describe('the history of a sink', () => {
  /** Walks all pages of a list. */
  async function walk(sink: Sink, list: string, limit: number): Promise<Body[]> {
    const items: Body[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = cursor === '' ? `?limit=${limit}` : `?limit=${limit}&cursor=${cursor}`;
      const page: Body = expectStatus(await sink.api.get(`${sink.path}/${list}${query}`), 200);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  it('is paged by a cursor, newest first, even while new deliveries arrive', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const jobs: string[] = [];
    for (let i = 0; i < 5; i++) jobs.unshift((await sink.settledPush([])).jobId);
    for (const list of ['deliveries', 'syncs']) {
      expect((await walk(sink, list, 2)).map(({ jobId }) => jobId)).toEqual(jobs);
      expect((await walk(sink, list, 5)).map(({ jobId }) => jobId)).toEqual(jobs);
    }
    const first = expectStatus(await sink.api.get(`${sink.path}/deliveries?limit=2`), 200);
    await sink.settledPush([]);
    const second = expectStatus(await sink.api.get(`${sink.path}/deliveries?limit=3&cursor=${first.nextCursor}`), 200);
    expect(second.items.map(({ jobId }: Body) => jobId)).toEqual(jobs.slice(2));
    expect(second.nextCursor).toBeNull();
  });

  it('is filtered by status, job and time', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
    const sink = await agent.sink(
      await platform().receiver.endpoint([{ kind: 'answer', status: 500 }, { kind: 'answer' }]),
    );
    const failed = await sink.settledPush();
    const delivered = await sink.settledPush();
    const ids = async (query: string): Promise<string[]> => (await sink.deliveries(query)).map(({ id }) => id);
    expect(await ids('?status=FAILED')).toEqual([failed.id]);
    expect(await ids('?status=FAILED,DELIVERED')).toEqual([delivered.id, failed.id]);
    expect(await ids('?status=FAILED&status=DELIVERED')).toEqual([delivered.id, failed.id]);
    expect(await ids('?status=PENDING')).toEqual([]);
    expect(await ids(`?jobId=${failed.jobId}`)).toEqual([failed.id]);
    expect(await ids(`?jobId=${failed.jobId}&status=DELIVERED`)).toEqual([]);
    expect(await ids(`?since=${delivered.createdAt}`)).toEqual([delivered.id]);
    expect(await ids('?since=2999-01-01T00:00:00Z')).toEqual([]);
  });
});
