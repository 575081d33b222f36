import { describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { DATA_SINK_EVENTS } from '../../src/data-sinks/index.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';
import { suiteListener } from '../support/receiver/suite-listener.js';

const platform = suitePlatform({ options: { disableAfter: 1_000 } });

interface Stage {
  readonly agent: Agent;
  readonly endpoint: Endpoint;
  readonly sink: Sink;
}

/** A sink that takes four rows in one push. */
async function stage(config: Body = {}, rules: Body = {}, more: Body = {}): Promise<Stage> {
  const agent = await (await platform().customer()).agent(rules);
  const endpoint = await platform().receiver.endpoint();
  const full = { url: endpoint.url, authScheme: 'HmacSha256', maxRowsPerPush: 4, ...config };
  return { agent, endpoint, sink: await agent.sink(endpoint, { config: full, ...more }) };
}

/** The deliveries of a job, in the order of its parts. */
async function partsOf({ sink }: Stage, jobId: string): Promise<Body[]> {
  const parts = await sink.deliveries(`?jobId=${jobId}&limit=100`);
  return parts.sort((a: Body, b: Body) => a.part.number - b.part.number);
}

/** Waits until all parts of a job have ended. */
function settledParts(on: Stage, jobId: string): Promise<Body[]> {
  return until(async () => {
    const parts = await partsOf(on, jobId);
    return parts.every(({ settledAt }) => settledAt !== null) && parts;
  }, `all parts of ${jobId} are settled`);
}

const outcomes = (parts: readonly Body[]) => parts.map(({ status, reason }) => [status, reason]);
const failing: ReceiverStep[] = [{ kind: 'answer', status: 400 }];
const DELIVERED = ['DELIVERED', null];

describe('a job with more rows than maxRowsPerPush', () => {
  it('arrives in numbered parts, each a complete body with its own delivery', async () => {
    const on = await stage();
    const rows = resultRows(10);
    const jobId = await on.agent.finishJob(rows);
    const parts = await settledParts(on, jobId);
    expect(parts).toMatchObject(
      [1, 2, 3].map((number) => ({ status: 'DELIVERED', part: { number, of: 3 }, trigger: 'AUTO', attemptCount: 1 })),
    );
    expect(on.endpoint.partsReceived().toSorted()).toEqual(['1/3', '2/3', '3/3']);
    expect(on.endpoint.partsReceived().at(-1)).toBe('3/3');
    for (const { body, headers } of on.endpoint.requests) {
      const part = Number(headers['x-mt-part']?.[0]);
      const payload = JSON.parse(body ?? '') as Body;
      expect(payload).toMatchObject({ jobId, stats: { total: 10, matched: 7, unmatched: 3 } });
      expect(payload.results).toEqual(rows.slice((part - 1) * 4, part * 4));
      expect(headers['x-mt-delivery-id']).toBe(parts[part - 1].id);
    }
    const rowsOfParts = parts.map(({ payload }) => payload.rows as number);
    expect(rowsOfParts).toEqual([4, 4, 2]);
  });

  it.each([0, 4])('comes as one part of one when it has %i', async (rows) => {
    const on = await stage();
    const jobId = await on.agent.finishJob(resultRows(rows));
    expect(await settledParts(on, jobId)).toMatchObject([{ status: 'DELIVERED', part: { number: 1, of: 1 } }]);
    expect(on.endpoint.partsReceived()).toEqual(['1/1']);
  });

  it('can be pushed manually in parts, once, whatever the auto-push rule says', async () => {
    const on = await stage();
    await on.agent.setRules({ auto_push_on_job_complete: false });
    const jobId = await on.agent.finishJob(resultRows(9));
    const push = () => on.sink.api.post(`${on.sink.path}/pushes`, { jobId });
    const made = expectStatus(await push(), 202);
    expect(made).toMatchObject({ part: { number: 1, of: 3 }, trigger: 'MANUAL' });
    expect(outcomes(await settledParts(on, jobId))).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(expectStatus(await push(), 409)).toMatchObject({ deliveryId: made.id });
    expectStatus(await on.sink.api.patch(on.sink.path, { config: { maxRowsPerPush: 2 } }), 200);
    expectStatus(await push(), 409);
    expect(await partsOf(on, jobId)).toHaveLength(3);
  });

  it('that needs too many parts is not sent, and its delivery names the reason', async () => {
    const on = await stage({ maxRowsPerPush: 1 });
    const jobId = await on.agent.finishJob(resultRows(1_001));
    const [only, ...others] = await settledParts(on, jobId);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ status: 'FAILED', reason: 'too_many_parts', attemptCount: 0, part: { of: 1_001 } });
    const other = await on.agent.sink(on.endpoint, {
      config: { url: on.endpoint.url, authScheme: 'HmacSha256', maxRowsPerPush: 1 },
    });
    const refused = expectStatus(await on.sink.api.post(`${other.path}/pushes`, { jobId }), 422);
    expect(refused.errors).toEqual([{ pointer: '/jobId', detail: expect.stringContaining('more than 1000 parts') }]);
    expect(on.endpoint.requests).toEqual([]);
  });
});

describe('the last part', () => {
  it('waits until all others are delivered, including their retries', async () => {
    const on = await stage();
    await on.endpoint.doesWithPart('2/3', [
      { kind: 'answer', status: 503 },
      { kind: 'hold', status: 200 },
    ]);
    const jobId = await on.agent.finishJob(resultRows(10));
    await on.endpoint.received(3);
    await until(() => on.endpoint.partsReceived().length === 3, 'part 2 is tried again');
    const [first, second, last] = await until(async () => {
      const parts = await partsOf(on, jobId);
      return parts[0].status === 'DELIVERED' && parts;
    }, 'part 1 is delivered');
    expect(first).toMatchObject({ status: 'DELIVERED' });
    expect(second).toMatchObject({ status: 'IN_FLIGHT', attemptCount: 2, retriesSpent: 1 });
    expect(last).toMatchObject({ status: 'PENDING', nextAttemptAt: null, attemptCount: 0, payload: null });
    await on.endpoint.release();
    expect(outcomes(await settledParts(on, jobId))).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(on.endpoint.partsReceived().at(-1)).toBe('3/3');
    const again = on.endpoint.requests.filter(({ headers }) => headers['x-mt-part'] === '2/3');
    expect(new Set(again.map(({ sha256 }) => sha256)).size).toBe(1);
  });

  it('fails when another one fails, and is sent automatically after that one is redelivered', async () => {
    const on = await stage();
    const told: Body[] = [];
    platform()
      .app.get(EventEmitter2)
      .on(DATA_SINK_EVENTS.pushFailed, (event: Body) => void told.push(event));
    await on.endpoint.doesWithPart('2/3', failing);
    const jobId = await on.agent.finishJob(resultRows(10));
    const parts = await settledParts(on, jobId);
    expect(outcomes(parts)).toEqual([DELIVERED, ['FAILED', 'not_retryable'], ['FAILED', 'parts_incomplete']]);
    expect(on.endpoint.partsReceived()).not.toContain('3/3');
    await until(() => told.filter((event) => event.jobId === jobId).length === 2, 'the host is told of both');
    expect(told.find(({ reason }) => reason === 'parts_incomplete')).toMatchObject({
      part: { number: 3, of: 3 },
      jobId,
    });

    // A redelivery is not bound by the rule; nor is what it brings about.
    await on.agent.setRules({ auto_push_on_job_complete: false });
    await on.endpoint.doesWithPart('2/3', [{ kind: 'answer' }]);
    expectStatus(await on.sink.api.post(`deliveries/${parts[1].id}/redeliver`), 202);
    const after = await until(async () => {
      const now = await partsOf(on, jobId);
      return now[2].status === 'DELIVERED' && now;
    }, 'the last part is delivered');
    expect(outcomes(after)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(after[2]).toMatchObject({ trigger: 'REDELIVERY', attemptCount: 1 });
    expect(on.endpoint.partsReceived().at(-1)).toBe('3/3');
  });

  it('fails again when the redelivery of the other one fails', async () => {
    const on = await stage();
    await on.endpoint.doesWithPart('1/2', failing);
    const jobId = await on.agent.finishJob(resultRows(8));
    const [first] = await settledParts(on, jobId);
    expectStatus(await on.sink.api.post(`deliveries/${first.id}/redeliver`), 202);
    await on.agent.customer.deliveryWhen(first.id, ({ attemptCount }) => attemptCount === 2, 'it is tried again');
    expect(outcomes(await settledParts(on, jobId))).toEqual([
      ['FAILED', 'not_retryable'],
      ['FAILED', 'parts_incomplete'],
    ]);
  });

  it('fails when another one is cancelled', async () => {
    const on = await stage({}, { retry_failed_push: 10 });
    await on.endpoint.doesWithPart('1/2', [{ kind: 'hold', status: 503 }, { kind: 'hold' }]);
    const jobId = await on.agent.finishJob(resultRows(5));
    await on.endpoint.first();
    await on.agent.pause();
    await on.endpoint.release();
    expect(outcomes(await settledParts(on, jobId))).toEqual([
      ['CANCELLED', 'agent_inactive'],
      ['FAILED', 'parts_incomplete'],
    ]);
  });

  it('redelivered too early waits for the others, or fails because of them', async () => {
    const on = await stage();
    await on.endpoint.doesWithPart('1/2', [{ kind: 'answer', status: 400 }, { kind: 'hold' }]);
    const jobId = await on.agent.finishJob(resultRows(5));
    const [first, last] = await settledParts(on, jobId);
    const redeliver = async ({ id }: Body) => expectStatus(await on.sink.api.post(`deliveries/${id}/redeliver`), 202);
    await redeliver(last);
    expect(outcomes(await settledParts(on, jobId))[1]).toEqual(['FAILED', 'parts_incomplete']);
    expect(on.endpoint.partsReceived()).toEqual(['1/2']);
    await redeliver(first);
    await on.endpoint.received(2);
    // Somebody makes it due by hand, while the first one is under way.
    await platform().sql('UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1', [last.id]);
    await on.agent.customer.deliveryWhen(last.id, ({ nextAttemptAt }) => nextAttemptAt === null, 'it is put back');
    await on.endpoint.release();
    expect(outcomes(await settledParts(on, jobId))).toEqual([DELIVERED, DELIVERED]);
    expect(on.endpoint.partsReceived()).toEqual(['1/2', '1/2', '2/2']);
  });

  it.each([
    ['delivered', 'DELIVERED', DELIVERED],
    ['failed', 'FAILED', ['FAILED', 'parts_incomplete']],
  ])('is not lost when a process dies right after another one was %s', async (_what, status, expected) => {
    const on = await stage();
    await on.endpoint.doesWithPart('1/2', [{ kind: 'hold' }]);
    const jobId = await on.agent.finishJob(resultRows(5));
    await on.endpoint.first();
    const [first, last] = await partsOf(on, jobId);
    // On record, and nothing that follows: as if its worker had died between the two statements.
    await platform().sql(
      `UPDATE agent_data_source_delivery SET status = $2, settled_at = now(), lease_token = NULL WHERE id = $1`,
      [first.id, status],
    );
    const { reason, status: after } = await on.agent.customer.settled(last.id);
    expect([after, reason]).toEqual(expected);
    await on.endpoint.release();
  });
});

describe('the parts of a job with invalid rows', () => {
  it('all fail, even those with valid rows, and none is sent', async () => {
    const on = await stage();
    await on.agent.setRules({ auto_push_on_job_complete: false });
    const jobId = await on.agent.finishJob(resultRows(30));
    await platform().sql(
      `UPDATE host_mapping_result SET partner_row_id = '' WHERE ordinal = 29
          AND job_number = (SELECT number FROM host_mapping_job WHERE id = $1)`,
      [jobId],
    );
    expectStatus(await on.sink.api.post(`${on.sink.path}/pushes`, { jobId }), 202);
    expect(outcomes(await settledParts(on, jobId))).toEqual([
      ...Array.from({ length: 7 }, () => ['FAILED', 'results_invalid']),
      ['FAILED', 'parts_incomplete'],
    ]);
    expect(on.endpoint.requests).toEqual([]);
  });
});

describe('a job of 100,000 rows', () => {
  const secret = 'a secret for a hundred thousand rows';
  const listening = suiteListener(secret);

  it('arrives in twelve parts, verified and counted by the kit', async () => {
    const agent = await (await platform().customer()).agent();
    const config = { url: listening().url, authScheme: 'HmacSha256', compression: 'gzip', maxRowsPerPush: 9_000 };
    const sink = await agent.sink(listening().url, { config, format: 'CSV', secret: { value: secret } });
    const lines = resultRows(100_000).map((row) => JSON.stringify(row));
    const headers = { 'Content-Type': 'application/x-ndjson' };
    const answer = await agent.api.raw('POST', `${agent.path}/mapping-jobs`, { headers, body: lines.join('\n') });
    const { jobId } = expectStatus(answer, 201);
    const records = [];
    for (let i = 0; i < 12; i++) records.push(await listening().record());
    expect(records.map(({ signatureValid, facts }) => [signatureValid, facts?.jobId])).toEqual(
      records.map(() => [true, jobId]),
    );
    expect(records.map(({ part }) => part?.number).sort((a = 0, b = 0) => a - b)).toEqual(records.map((_, i) => i + 1));
    expect(records.reduce((sum, { rows }) => sum + (rows ?? 0), 0)).toBe(100_000);
    expect(records.at(-1)?.part).toEqual({ number: 12, of: 12 });
    expect(await sink.deliveries('?status=FAILED')).toEqual([]);
  });
});
