import { EventEmitter2 } from '@nestjs/event-emitter';
import { describe, expect, it } from '@jest/globals';
import { DataSinks, JOB_COMPLETED_EVENT, type JobCompleted } from '../../src/data-sinks/index.js';
import { Upkeep } from '../../src/data-sinks/upkeep/upkeep.js';
import { newId } from '../../src/reference-host/ids.js';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import { type Agent, expectStatus, resultRows } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

/** Nothing looks by itself: what is found here was heard, woken for, or swept because the test said so. */
const NEVER_MS = 600_000;
const platform = suitePlatform({ options: { pollMs: NEVER_MS, sweepMs: NEVER_MS } });

/** A job as the host holds it before anybody has heard that it is complete. */
interface UntoldJob {
  readonly event: JobCompleted;
  readonly number: string;
}

async function untoldJob(agent: Agent): Promise<UntoldJob> {
  const event: JobCompleted = {
    jobId: newId('job'),
    agentId: agent.id,
    workspaceId: agent.customer.workspaceId,
    completedAt: new Date(),
    stats: { total: 1, matched: 1, unmatched: 0 },
  };
  const store = platform().app.get(JobStore);
  const number = await store.open(event);
  await store.append(number, 0, [
    { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: null, matchConfidence: null },
  ]);
  return { event, number };
}

/** The host's transaction that completes the job, and whatever else happens in it. */
async function complete(
  { event, number }: UntoldJob,
  also: 'alone' | 'recorded' | 'recorded and rolled back',
): Promise<number> {
  return platform().database.transaction(async (transaction) => {
    const { completedAt, stats } = event;
    const completion = { completedAt, ...stats, rowsSha256: Buffer.alloc(32) };
    await platform().app.get(JobStore).complete(transaction, number, completion);
    const made = also === 'alone' ? 0 : await platform().app.get(DataSinks).recordJobCompleted(event, transaction);
    if (also === 'recorded and rolled back') throw new Error('the host changes its mind');
    return made;
  });
}

function emit(event: JobCompleted): void {
  platform().app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, event);
}

function sweep(): Promise<void> {
  return platform().app.get(Upkeep, { strict: false }).sweep();
}

describe('a completed job is recorded', () => {
  it('from an event on the host’s EventEmitter2 alone', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const job = await untoldJob(agent);
    await complete(job, 'alone');
    expect(await sink.deliveries()).toEqual([]);
    emit(job.event);
    expect(await endpoint.first()).toMatchObject({ rows: 1 });
    const { id } = await sink.deliveryOf(job.event.jobId);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', trigger: 'AUTO' });
  });

  it('once, however often the event is emitted, even at the same time', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const [job, other] = [await untoldJob(agent), await untoldJob(agent)];
    await complete(job, 'alone');
    await complete(other, 'alone');
    for (const { event } of [job, job, other, job, other]) emit(event);
    await endpoint.received(2);
    emit(job.event);
    const last = await sink.settledPush();
    const jobs = (await sink.deliveries()).map(({ jobId }) => String(jobId));
    expect(jobs.sort()).toEqual([job.event.jobId, other.event.jobId, String(last.jobId)].sort());
    expect(endpoint.requests).toHaveLength(3);
  });

  it('in the host’s own transaction, whose commit wakes a worker', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const job = await untoldJob(agent);
    expect(await complete(job, 'recorded')).toBe(1);
    const { id } = await sink.deliveryOf(job.event.jobId);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED' });
  });

  it('not at all when that transaction is rolled back', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const job = await untoldJob(agent);
    await expect(complete(job, 'recorded and rolled back')).rejects.toThrow('changes its mind');
    expect(await sink.deliveries()).toEqual([]);
    await sweep();
    expect(await sink.deliveries()).toEqual([]);
    // The job can still complete, and is then heard as if nothing had been.
    expect(await complete(job, 'recorded')).toBe(1);
    await endpoint.first();
    expect(await sink.deliveries()).toHaveLength(1);
  });

  it('by the sweep, exactly once, when the host died before it emitted the event', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const job = await untoldJob(agent);
    await complete(job, 'alone');
    await Promise.all([sweep(), sweep()]);
    const { id } = await sink.deliveryOf(job.event.jobId);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', trigger: 'AUTO' });
    await sweep();
    emit(job.event);
    expect(await complete({ ...job, number: '0' }, 'recorded')).toBe(0);
    expect(await sink.deliveries()).toHaveLength(1);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('and an invalid event does no harm', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { event } = await untoldJob(agent);
    for (const nonsense of [
      undefined,
      null,
      'JobCompleted',
      {},
      { ...event, completedAt: 'today' },
      { ...event, stats: {} },
    ]) {
      platform().app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, nonsense);
    }
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
    expect(await sink.deliveries()).toHaveLength(1);
  });

  it('for the workspace of the agent, whatever the event says', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const { event } = await untoldJob(agent);
    const stranger = await platform().customer();
    const made = await platform()
      .app.get(DataSinks)
      .recordJobCompleted({ ...event, workspaceId: stranger.workspaceId });
    expect(made).toBe(0);
    expect(await sink.deliveries()).toEqual([]);
  });
});

describe('a job that is completed again', () => {
  it('with the same rows has no effect', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const jobId = newId('job');
    expect(await agent.finishJob(resultRows(2), jobId)).toBe(jobId);
    await agent.customer.settled((await sink.deliveryOf(jobId)).id);
    const again = await agent.api.post(`${agent.path}/mapping-jobs`, { jobId, results: resultRows(2) });
    expect(expectStatus(again, 200)).toMatchObject({ jobId });
    expect(await sink.deliveries()).toHaveLength(1);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('with other rows is refused', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const jobId = await agent.finishJob(resultRows(2));
    const refused = await agent.api.post(`${agent.path}/mapping-jobs`, { jobId, results: resultRows(3) });
    expect(expectStatus(refused, 409).type).toBe('https://mapping.travel/errors/job-exists');
    expect(await sink.deliveries()).toHaveLength(1);
  });

  it('is not pushed to a sink that was added since', async () => {
    const agent = await (await platform().customer()).agent();
    const jobId = await agent.finishJob(resultRows(2));
    const later = await agent.sink(await platform().receiver.endpoint());
    expect(await agent.finishJob(resultRows(2), jobId)).toBe(jobId);
    await sweep();
    expect(await later.deliveries()).toEqual([]);
  });

  it('is not pushed because auto-push was switched on since', async () => {
    const agent = await (await platform().customer()).agent({ auto_push_on_job_complete: false });
    const sink = await agent.sink(await platform().receiver.endpoint());
    const jobId = await agent.finishJob(resultRows(2));
    await agent.setRules({ auto_push_on_job_complete: true });
    await agent.finishJob(resultRows(2), jobId);
    await sweep();
    expect(await sink.deliveries()).toEqual([]);
  });
});

describe('a sink that was added later', () => {
  it('gets no job that completed before, even if it was not recorded yet', async () => {
    const agent = await (await platform().customer()).agent();
    const job = await untoldJob(agent);
    await complete(job, 'alone');
    const later = await agent.sink(await platform().receiver.endpoint());
    await sweep();
    expect(await later.deliveries()).toEqual([]);
    expect(await later.settledPush()).toMatchObject({ status: 'DELIVERED' });
  });
});

describe('a worker that dies during an attempt', () => {
  it('leaves an ABANDONED attempt, and the delivery continues without using a retry', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
    const endpoint = await platform().receiver.endpoint([{ kind: 'hold', status: 400 }, { kind: 'answer' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    expect(await agent.customer.delivery(id)).toMatchObject({
      status: 'IN_FLIGHT',
      attempts: [{ status: 'IN_FLIGHT', finishedAt: null }],
    });

    await platform().sql(
      `UPDATE agent_data_source_delivery SET lease_expires_at = now() - interval '1 s' WHERE id = $1`,
      [id],
    );
    await sweep();
    const delivery = await agent.customer.settled(id);
    const attempts = [
      { attemptNumber: 2, status: 'SUCCEEDED' },
      { attemptNumber: 1, status: 'ABANDONED', errorCode: 'worker_lost', finishedAt: expect.any(String) },
    ];
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 2, retriesSpent: 0, attempts });
    const [first, second] = endpoint.requests;
    expect(second?.sha256).toBe(first?.sha256);
    expect(second?.headers['x-mt-delivery-id']).toBe(id);

    // The one that was taken for dead gets its answer after all: it is logged, and changes nothing.
    await endpoint.release();
    await platform().logs.line(/"attemptNumber":1.*"recorded":false/, id);
    expect(await agent.customer.delivery(id)).toMatchObject({ status: 'DELIVERED', attempts });
  });

  it('too often ends the delivery, which may be the cause', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint([{ kind: 'hold' }]);
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    for (let worker = 1; worker <= 5; worker++) {
      await endpoint.received(worker);
      await platform().sql(
        `UPDATE agent_data_source_delivery SET lease_expires_at = now() - interval '1 s' WHERE id = $1`,
        [id],
      );
      await sweep();
    }
    const delivery = await agent.customer.settled(id);
    expect(delivery).toMatchObject({
      status: 'FAILED',
      reason: 'abandoned_too_often',
      attemptCount: 5,
      retriesSpent: 0,
    });
    await endpoint.release();
  });
});
