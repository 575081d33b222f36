import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { Wakeup } from '../../src/data-sinks/queue/wakeup/wakeup.js';
import { workerNumber } from '../../src/data-sinks/domain/worker-number.js';
import { expectStatus, resultRows, sinkBody } from '../support/platform/customer.js';
import { modeOfRun } from '../support/platform/platform-database.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

describe('the platform', () => {
  it('runs on the requested services: PGlite and timers, or PostgreSQL and Bull', async () => {
    const services = modeOfRun() === 'services';
    const [{ version } = { version: '' }] = await platform().sql<{ version: string }>('SELECT version()');
    expect(version).toMatch(/^PostgreSQL /);
    expect(/wasm|emcc|emscripten/i.test(version)).toBe(!services);
    expect(platform().app.get(Wakeup, { strict: false }).constructor.name).toBe(
      services ? 'BullWakeup' : 'InProcessWakeup',
    );
  });
});

describe('the story of the contract', () => {
  it('works: create a sink, test it, switch the rule on, activate the agent, and the next completed job is pushed', async () => {
    const secret = 'a secret of the customer, 32 bytes';
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], secret);
    const customer = await platform().customer();
    const agent = await customer.draftAgent();

    const body = sinkBody(endpoint.url, { secret: { value: secret } });
    const created = expectStatus(await customer.api.post(`${agent.path}/data-sources`, body), 201);
    expect(created).toMatchObject({
      role: 'RESULTS_SINK',
      status: 'ACTIVE',
      secret: { hint: '****ytes' },
      warnings: [],
    });
    const sinkPath = `${agent.path}/data-sources/${created.id}`;

    expect(expectStatus(await customer.api.post(`${sinkPath}/test`), 200)).toMatchObject({ passed: true });
    expect(await endpoint.first()).toMatchObject({ signatureIsValid: true });

    await agent.setRules({ auto_push_on_job_complete: true });
    await agent.activate();
    const jobId = await agent.finishJob(resultRows(3));

    const [, push] = await endpoint.received(2);
    expect(push).toMatchObject({ method: 'POST', signatureIsValid: true, rows: 3 });
    const { items } = expectStatus(await customer.api.get(`${sinkPath}/deliveries`), 200);
    expect(items).toHaveLength(1);
    const delivery = await customer.settled(items[0].id);
    expect(delivery).toMatchObject({ jobId, status: 'DELIVERED', trigger: 'AUTO', attemptCount: 1, reason: null });
    expect(delivery.attempts).toMatchObject([
      {
        attemptNumber: 1,
        status: 'SUCCEEDED',
        errorCode: null,
        httpStatus: 200,
        answerExcerpt: 'ok',
        url: endpoint.url,
      },
    ]);
    // Customers are shown a number; the name of the machine and its process is in the table, for operators.
    const [row] = await platform().sql<{ worker_id: string }>(
      'SELECT worker_id FROM agent_data_source_sync WHERE delivery_id = $1',
      [delivery.id],
    );
    expect(row?.worker_id).toMatch(new RegExp(`^${hostname()}:${process.pid}:[0-9a-f]{8}$`));
    expect(delivery.attempts[0]).toMatchObject({ worker: workerNumber(row?.worker_id ?? '') });
    expect(JSON.stringify(delivery)).not.toContain(hostname());
  });
});

describe('the request that arrives', () => {
  it('has the payload of the contract, with its fields in that order, byte for byte', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    await agent.sink(endpoint);
    const rows = [
      ...resultRows(3),
      {
        matchMethod: 'MANUAL',
        partnerRowId: 'Zürich “Süd” \u2028 😀',
        matchConfidence: 1,
        referenceHotelId: 'ref_\\"\n',
      },
      { partnerRowId: 'row_with_nothing_else' },
    ];
    const jobId = await agent.finishJob(rows);
    const { completedAt } = expectStatus(await agent.api.get(`${agent.path}/mapping-jobs/${jobId}`), 200);
    const { body, bytes } = await endpoint.first();
    const expected = JSON.stringify({
      jobId,
      agentId: agent.id,
      workspaceId: agent.customer.workspaceId,
      completedAt: String(completedAt).replace('.000Z', 'Z'),
      stats: { total: 5, matched: 3, unmatched: 2 },
      results: rows.map((row: Readonly<Record<string, unknown>>) => ({
        partnerRowId: row['partnerRowId'],
        referenceHotelId: row['referenceHotelId'] ?? null,
        matchMethod: row['matchMethod'] ?? null,
        matchConfidence: row['matchConfidence'] ?? null,
      })),
    });
    expect(body).toBe(expected);
    expect(bytes).toBe(Buffer.byteLength(expected));
  });

  it('has the headers of the contract', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint);
    const delivery = await sink.settledPush();
    const { headers, body, bytes, sha256 } = await endpoint.first();
    const digest = createHash('sha256')
      .update(body ?? '')
      .digest();
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(bytes),
      'content-digest': `sha-256=:${digest.toString('base64')}:`,
      'x-mt-delivery-id': delivery.id,
      'x-mt-attempt': '1',
      'webhook-id': delivery.id,
      'user-agent': expect.stringMatching(/^MappingTravel-DataSinks\/\d+\.\d+\.\d+$/),
      'accept-encoding': 'identity',
    });
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(headers).not.toHaveProperty('authorization');
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    expect(delivery.payload).toEqual({ sha256, bytes, rows: 3, rebuilt: false, sameAsBefore: null });
  });

  it('has an empty list if the job has no results', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint);
    expect(await sink.settledPush([])).toMatchObject({ status: 'DELIVERED', payload: { rows: 0 } });
    const { body } = await endpoint.first();
    expect(JSON.parse(body ?? '')).toMatchObject({ stats: { total: 0, matched: 0, unmatched: 0 }, results: [] });
  });

  it('has 12,000 rows if the job has 12,000', async () => {
    const secret = 'twelve thousand rows, one secret';
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], secret);
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint, { secret: { value: secret } });
    const delivery = await sink.settledPush(resultRows(12_000));
    const request = await endpoint.first();
    expect(request).toMatchObject({ rows: 12_000, signatureIsValid: true });
    expect(delivery).toMatchObject({ status: 'DELIVERED', payload: { rows: 12_000, sha256: request.sha256 } });
    expect(delivery.payload.bytes).toBe(request.bytes);
  });

  it('is the same whether the rows were uploaded as JSON or as lines', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint);
    const lines = resultRows(4)
      .map((row) => JSON.stringify(row))
      .join('\n');
    const headers = { 'Content-Type': 'application/x-ndjson' };
    const answer = await agent.api.raw('POST', `${agent.path}/mapping-jobs`, { headers, body: lines });
    const { jobId } = expectStatus(answer, 201);
    await agent.customer.settled((await sink.deliveryOf(jobId)).id);
    const { body } = await endpoint.first();
    expect((JSON.parse(body ?? '') as { results: unknown }).results).toEqual(resultRows(4));
  });

  it('is the same at every sink of the agent, each with its own delivery and signature', async () => {
    const agent = await (await platform().customer()).agent();
    const secrets = ['the first sink and its own secret', 'the second sink, another secret'];
    const endpoints = await Promise.all(secrets.map((s) => platform().receiver.endpoint([{ kind: 'answer' }], s)));
    for (const [i, value] of secrets.entries()) await agent.sink(endpoints[i]?.url ?? '', { secret: { value } });
    await agent.finishJob();
    const requests = await Promise.all(endpoints.map((endpoint) => endpoint.first()));
    expect(requests.map(({ signatureIsValid }) => signatureIsValid)).toEqual([true, true]);
    expect(new Set(requests.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers['x-mt-delivery-id'])).size).toBe(2);
  });
});

describe('an endpoint that is down for a moment', () => {
  it('gets the same bytes again under the same delivery id, and both attempts are recorded', async () => {
    const secret = 'down for a moment, then up again';
    const endpoint = await platform().receiver.endpoint(
      [{ kind: 'answer', status: 503, body: 'later' }, { kind: 'answer' }],
      secret,
    );
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint, { secret: { value: secret } });
    const delivery = await sink.settledPush();
    const [first, second] = await endpoint.received(2);
    expect(first?.sha256).toBe(second?.sha256);
    expect([first?.signatureIsValid, second?.signatureIsValid]).toEqual([true, true]);
    expect([first, second].map((r) => [r?.headers['x-mt-delivery-id'], r?.headers['x-mt-attempt']])).toEqual([
      [delivery.id, '1'],
      [delivery.id, '2'],
    ]);
    expect(delivery).toMatchObject({
      status: 'DELIVERED',
      attemptCount: 2,
      retriesSpent: 1,
      lastAttemptStatus: 'SUCCEEDED',
    });
    const attempts = [
      { attemptNumber: 2, status: 'SUCCEEDED', errorCode: null, httpStatus: 200, answerExcerpt: 'ok' },
      { attemptNumber: 1, status: 'HTTP_5XX', errorCode: 'receiver_error', httpStatus: 503, answerExcerpt: 'later' },
    ];
    expect(delivery.attempts).toMatchObject(attempts);
    expect(await sink.syncs()).toMatchObject(attempts);
    for (const { startedAt, finishedAt } of delivery.attempts) expect(finishedAt >= startedAt).toBe(true);
  });

  it.each([
    ['0 retries', { retry_failed_push: 0 }, 1],
    ['2 retries when the rule is not set', {}, 3],
    ['10 retries', { retry_failed_push: 10 }, 11],
  ])('gets as many retries as the rule says: %s', async (_name, rule, attempts) => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status: 500 }]);
    const sink = await (await (await platform().customer()).agent(rule)).sink(endpoint);
    const delivery = await sink.settledPush();
    expect(delivery).toMatchObject({
      ...{ status: 'FAILED', reason: 'retries_exhausted', attemptCount: attempts },
      ...{ retriesAllowed: attempts - 1, retriesSpent: attempts - 1 },
    });
    const numbers = Array.from({ length: attempts }, (_, i) => i + 1);
    expect(endpoint.requests.map(({ headers }) => Number(headers['x-mt-attempt']))).toEqual(numbers);
    expect(delivery.attempts.map((attempt: { attemptNumber: number }) => attempt.attemptNumber)).toEqual(
      numbers.reverse(),
    );
  });

  it('gets the retries of the rule at the time the delivery was created', async () => {
    const endpoint = await platform().receiver.endpoint([
      { kind: 'hold', status: 500 },
      { kind: 'answer', status: 500 },
    ]);
    const agent = await (await platform().customer()).agent({ retry_failed_push: 2 });
    const sink = await agent.sink(endpoint);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.first();
    await agent.setRules({ auto_push_on_job_complete: true, retry_failed_push: 0 });
    await endpoint.release();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'FAILED', attemptCount: 3, retriesAllowed: 2 });
  });
});

describe('an endpoint that hangs', () => {
  it('delays no other sink, however many deliveries wait for it', async () => {
    const agent = await (await platform().customer()).agent();
    const [stuck, quick] = [
      await platform().receiver.endpoint([{ kind: 'hold' }]),
      await platform().receiver.endpoint(),
    ];
    const [stuckSink, quickSink] = [await agent.sink(stuck), await agent.sink(quick)];
    const jobs = 20;
    for (let i = 0; i < jobs; i++) await agent.finishJob([]);
    await quick.received(jobs);
    await until(
      async () => (await quickSink.deliveries('?status=DELIVERED')).length === jobs,
      'the quick sink has all',
    );
    expect(await stuckSink.deliveries('?status=DELIVERED')).toEqual([]);
    await until(async () => {
      await stuck.release();
      return (await stuckSink.deliveries('?status=DELIVERED&limit=100')).length === jobs;
    }, 'the other has all once it answers');
  });
});
