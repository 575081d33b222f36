import { describe, expect, it } from '@jest/globals';
import type { Answer, Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const AT_MOST = 30;
const CAP = 2;
/** Four times the cap: how many of a recovery wait or are in flight at once. */
const WINDOW = 8;

/** Receivers fail here as often as a test wants them to. */
const NEVER = 1_000;

const platform = suitePlatform({
  options: { recoverAtMost: AT_MOST, maxInFlightPerSink: CAP, disableAfter: NEVER, pauseAfter: NEVER },
});
const FAILURES_THAT_DISABLE = 3;
const strict = suitePlatform({
  options: { maxInFlightPerSink: CAP, disableAfter: FAILURES_THAT_DISABLE, disableAfterMs: 0 },
});

const FAIL = { kind: 'answer', status: 500 } as const satisfies ReceiverStep;
const OK = { kind: 'answer' } as const satisfies ReceiverStep;

interface Outage {
  readonly agent: Agent;
  readonly sink: Sink;
  readonly endpoint: Endpoint;
  readonly since: string;
  /** The deliveries that failed, oldest first. */
  readonly failed: readonly Body[];
}

/** A sink whose receiver was away for some deliveries, and then does what the steps say, the last of them for ever. */
async function outage(failures: number, after: readonly ReceiverStep[], on = platform): Promise<Outage> {
  const agent = await (await on().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await on().receiver.endpoint([...Array.from({ length: failures }, () => FAIL), ...after]);
  const sink = await agent.sink(endpoint);
  const since = await now();
  const jobs: string[] = [];
  for (let i = 0; i < failures; i++) jobs.push(await agent.finishJob());
  const failed: Body[] = [];
  for (const job of jobs) failed.push(await agent.customer.settled((await sink.deliveryOf(job)).id));
  expect(failed.map(({ status }) => status)).toEqual(failed.map(() => 'FAILED'));
  failed.sort((a, b) => (a.settledAt < b.settledAt ? -1 : 1));
  return { agent, sink, endpoint, since, failed };
}

async function now(): Promise<string> {
  const [row] = await platform().sql<{ at: Date }>('SELECT now() AS at');
  return row?.at.toISOString() ?? '';
}

const recover = (sink: Sink, span: object): Promise<Answer> => sink.api.post(`${sink.path}/recover`, span);

async function started(sink: Sink, span: object): Promise<Body> {
  return expectStatus(await recover(sink, span), 202);
}

async function read(sink: Sink, id: string): Promise<Body> {
  return expectStatus(await sink.api.get(`${sink.path}/recoveries/${id}`), 200);
}

const when = (sink: Sink, id: string, holds: (recovery: Body) => boolean, what: string): Promise<Body> =>
  until(async () => {
    const recovery = await read(sink, id);
    return holds(recovery) && recovery;
  }, `of the recovery ${id}, ${what}`);

const finished = (sink: Sink, id: string): Promise<Body> =>
  when(sink, id, ({ finishedAt }) => finishedAt !== null, 'it has finished');

const auditOf = (sink: Sink): Promise<Body[]> =>
  platform().sql(
    `SELECT action, actor_type, details FROM agent_data_source_audit
      WHERE data_source_id = $1 AND action LIKE 'RECOVERY%' ORDER BY id`,
    [sink.id],
  );

describe('a recovery', () => {
  it('redelivers everything that failed since a time: same bytes, same ids, one attempt each, continued attempt numbers', async () => {
    const { agent, sink, endpoint, since, failed } = await outage(12, [OK]);
    const delivered = await sink.settledPush();
    const recovery = await started(sink, { since });
    expect(recovery).toMatchObject({
      ...{ id: expect.stringMatching(/^rcv_/), status: 'RUNNING', reason: null, paused: false, total: 12 },
      ...{ dataSourceId: sink.id, agentId: agent.id, since, requestedBy: { type: 'token' }, finishedAt: null },
    });
    expect(recovery).not.toHaveProperty('workspaceId');
    expect(await finished(sink, recovery.id)).toMatchObject({
      ...{ status: 'DONE', total: 12, redelivered: 12, delivered: 12, failed: 0, cancelled: 0, waiting: 0 },
    });
    for (const { id, payload } of failed) {
      const delivery = await agent.customer.delivery(id);
      expect(delivery).toMatchObject({
        status: 'DELIVERED',
        trigger: 'REDELIVERY',
        attemptCount: 2,
        retriesAllowed: 0,
      });
      expect(delivery.payload).toEqual(payload);
      expect(delivery.attempts).toMatchObject([
        { attemptNumber: 2, trigger: 'REDELIVERY', status: 'SUCCEEDED' },
        { attemptNumber: 1, trigger: 'AUTO', status: 'HTTP_5XX' },
      ]);
      const sent = endpoint.requests.filter(({ headers }) => headers['x-mt-delivery-id'] === id);
      expect(sent.map(({ headers }) => headers['x-mt-attempt'])).toEqual(['1', '2']);
      expect(new Set(sent.map(({ sha256 }) => sha256))).toEqual(new Set([payload.sha256]));
    }
    expect(await agent.customer.delivery(delivered.id)).toMatchObject({ trigger: 'AUTO', attemptCount: 1 });
    expect(await auditOf(sink)).toEqual([
      {
        ...{ action: 'RECOVERY_REQUESTED', actor_type: 'token' },
        details: { recoveryId: recovery.id, since, until: recovery.until, deliveries: 12 },
      },
    ]);
  });

  it('makes no more deliveries due at once than the sink’s limits allow', async () => {
    const { sink, endpoint, since } = await outage(20, [{ kind: 'hold' }]);
    const { id } = await started(sink, { since });
    await endpoint.received(20 + CAP);
    expect(await read(sink, id)).toMatchObject({ status: 'RUNNING', total: 20, redelivered: WINDOW, waiting: WINDOW });
    expect(endpoint.requests).toHaveLength(20 + CAP);
    expect(await sink.deliveries('?status=FAILED')).toHaveLength(20 - WINDOW);
    await endpoint.does([OK]);
    await endpoint.release();
    expect(await finished(sink, id)).toMatchObject({ status: 'DONE', redelivered: 20, delivered: 20 });
  });

  it('tries once: what fails again is not tried again by it', async () => {
    const { sink, endpoint, since, failed } = await outage(3, [FAIL]);
    const { id } = await started(sink, { since });
    expect(await finished(sink, id)).toMatchObject({ status: 'DONE', redelivered: 3, delivered: 0, failed: 3 });
    expect(endpoint.requests).toHaveLength(6);
    // It failed since, and can be recovered again; the numbers of the first one stay.
    const again = await started(sink, { since });
    expect(again.total).toBe(failed.length);
    expect(await finished(sink, again.id)).toMatchObject({ redelivered: 3, failed: 3 });
    expect(await read(sink, id)).toMatchObject({ redelivered: 3, failed: 3, waiting: 0 });
  });

  it('includes only failures within its period', async () => {
    const { agent, sink, failed } = await outage(5, [OK]);
    const { id, total } = await started(sink, { since: failed[1].settledAt, until: failed[3].settledAt });
    const within = failed.filter(
      ({ settledAt }) => settledAt >= failed[1].settledAt && settledAt < failed[3].settledAt,
    );
    expect(total).toBe(within.length);
    await finished(sink, id);
    for (const delivery of failed) {
      const { status } = await agent.customer.delivery(delivery.id);
      expect([delivery.id, status]).toEqual([delivery.id, within.includes(delivery) ? 'DELIVERED' : 'FAILED']);
    }
  });

  it('without failures is finished at once', async () => {
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    await sink.settledPush();
    expect(await started(sink, { since: await now() })).toMatchObject({
      ...{ status: 'DONE', total: 0, redelivered: 0, finishedAt: expect.any(String) },
    });
  });

  it('excludes deliveries redelivered manually meanwhile', async () => {
    const { agent, sink, endpoint, since, failed } = await outage(WINDOW + 1, [{ kind: 'hold' }]);
    const { id } = await started(sink, { since });
    await when(sink, id, ({ redelivered }) => redelivered === WINDOW, 'its first deliveries are due');
    const [left] = await sink.deliveries('?status=FAILED');
    expect(failed.map((one) => one.id)).toContain(left.id);
    expectStatus(await sink.api.post(`deliveries/${left.id}/redeliver`), 202);
    await endpoint.does([OK]);
    await endpoint.release();
    expect(await finished(sink, id)).toMatchObject({ status: 'DONE', total: WINDOW + 1, redelivered: WINDOW });
    expect(await agent.customer.settled(left.id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });
});

describe('a running recovery', () => {
  it('refuses a second one for its sink, and names its id', async () => {
    const { sink, endpoint, since } = await outage(2, [{ kind: 'hold' }]);
    const answers = await Promise.all([1, 2, 3].map(() => recover(sink, { since })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    const { id } = answers.find(({ status }) => status === 202)?.body ?? {};
    for (const { status, body } of answers) {
      if (status === 409)
        expect(body).toMatchObject({ type: expect.stringMatching(/recovery-running$/), recoveryId: id });
    }
    expect(await auditOf(sink)).toHaveLength(1);
    await endpoint.does([OK]);
    await endpoint.release();
    await finished(sink, id);
  });

  it('can be cancelled: deliveries not due yet stay failed, others continue', async () => {
    const { sink, endpoint, since } = await outage(20, [{ kind: 'hold' }]);
    const { id } = await started(sink, { since });
    await endpoint.received(20 + CAP);
    const cancel = (): Promise<Answer> => sink.api.post(`${sink.path}/recoveries/${id}/cancel`);
    expect(expectStatus(await cancel(), 200)).toMatchObject({
      status: 'CANCELLED',
      reason: 'requested',
      waiting: WINDOW,
    });
    await endpoint.does([OK]);
    await endpoint.release();
    const ended = await finished(sink, id);
    expect(ended).toMatchObject({ status: 'CANCELLED', total: 20, redelivered: WINDOW, delivered: WINDOW, waiting: 0 });
    expect(await sink.deliveries('?status=FAILED')).toHaveLength(20 - WINDOW);
    // Once more changes nothing.
    expect(expectStatus(await cancel(), 200)).toEqual(ended);
    expect((await auditOf(sink)).slice(1)).toEqual([
      { action: 'RECOVERY_CANCELLED', actor_type: 'token', details: { recoveryId: id, reason: 'requested' } },
    ]);
    // The others are there to be recovered.
    const rest = await started(sink, { since });
    expect(await finished(sink, rest.id)).toMatchObject({ status: 'DONE', total: 20 - WINDOW, delivered: 20 - WINDOW });
  });

  it.each([
    [
      'sink_inactive',
      'its sink is set inactive',
      ({ sink }: Outage) => sink.api.patch(sink.path, { status: 'INACTIVE' }),
    ],
    ['agent_inactive', 'the agent is paused', ({ agent }: Outage) => agent.pause()],
    [
      'plan_required',
      'the plan no longer includes it',
      ({ agent }: Outage) => platform().changePlan(agent.customer.workspaceId, 'PRO'),
    ],
  ])('ends CANCELLED, %s, when %s', async (reason, _name, change) => {
    const made = await outage(WINDOW + 3, [{ kind: 'hold' }]);
    const { id } = await started(made.sink, { since: made.since });
    await made.endpoint.received(WINDOW + 3 + CAP);
    await change(made);
    expect(await when(made.sink, id, ({ status }) => status !== 'RUNNING', 'it has ended')).toMatchObject({
      ...{ status: 'CANCELLED', reason, redelivered: WINDOW },
    });
    await made.endpoint.does([OK]);
    await made.endpoint.release();
    // In flight it was already; what only waited was ended by the gate.
    expect(await finished(made.sink, id)).toMatchObject({ delivered: CAP, cancelled: WINDOW - CAP, waiting: 0 });
    expect(await made.sink.deliveries('?status=FAILED')).toHaveLength(3);
    expect((await auditOf(made.sink)).at(-1)).toEqual({
      ...{ action: 'RECOVERY_CANCELLED', actor_type: 'agent', details: { recoveryId: id, reason } },
    });
  });

  it('ends CANCELLED when its sink is deleted', async () => {
    const { sink, endpoint, since } = await outage(WINDOW + 3, [{ kind: 'hold' }]);
    const { id } = await started(sink, { since });
    await endpoint.received(WINDOW + 3 + CAP);
    expectStatus(await sink.api.delete(sink.path), 204);
    await endpoint.release();
    const row = await until(async () => {
      const [one] = await platform().sql<Body>('SELECT * FROM agent_data_source_recovery WHERE id = $1', [id]);
      return one?.finished_at !== null && one;
    }, 'it has finished');
    expect(row).toMatchObject({ status: 'CANCELLED', reason: 'sink_inactive', redelivered: WINDOW });
    expect(row.delivered + row.failed + row.cancelled).toBe(WINDOW);
  });

  it('waits while its sink is disabled, and continues after a successful Test', async () => {
    const { agent, sink, endpoint, since } = await outage(1, [FAIL], strict);
    const total = WINDOW + FAILURES_THAT_DISABLE + CAP;
    for (let i = 1; i < total; i++) {
      // What failed before counts no more.
      expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
      await sink.settledPush();
    }
    expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
    await endpoint.does([...Array.from({ length: FAILURES_THAT_DISABLE }, () => FAIL), { kind: 'hold' }]);
    const { id } = await started(sink, { since });
    // Its first tries fail and disable the sink; what is in flight by then holds.
    const paused = await when(sink, id, (recovery) => recovery.paused, 'it pauses');
    expect(paused.redelivered).toBeLessThan(total);
    const job = await agent.finishJob();
    expect(expectStatus(await recover(sink, { since }), 409).type).toMatch(/sink-inactive$/);
    await endpoint.does([OK]);
    await endpoint.release();
    await until(async () => (await sink.deliveries('?status=IN_FLIGHT')).length === 0, 'what was in flight has ended');
    expect(await read(sink, id)).toMatchObject({ status: 'RUNNING', paused: true, failed: FAILURES_THAT_DISABLE });
    expect(expectStatus(await sink.api.post(`${sink.path}/test`), 200)).toMatchObject({ reactivated: true });
    expect(await finished(sink, id)).toMatchObject({
      ...{ status: 'DONE', paused: false, redelivered: total, waiting: 0 },
      ...{ delivered: total - FAILURES_THAT_DISABLE, failed: FAILURES_THAT_DISABLE },
    });
    expect(await agent.customer.settled((await sink.deliveryOf(job)).id)).toMatchObject({ status: 'DELIVERED' });
  });
});

describe('before a recovery', () => {
  const preview = (sink: Sink, query: Readonly<Record<string, string>>): Promise<Answer> =>
    sink.api.get(`${sink.path}/recoveries/preview?${new URLSearchParams(query).toString()}`);

  it('a preview counts its deliveries and changes nothing', async () => {
    const { sink, since, failed } = await outage(4, [OK]);
    expect(expectStatus(await preview(sink, { since }), 200)).toEqual({
      ...{ since, until: expect.any(String), deliveries: 4, runningRecoveryId: null },
    });
    const until = failed[3].settledAt;
    const before = failed.filter(({ settledAt }) => settledAt < until).length;
    expect(expectStatus(await preview(sink, { since, until }), 200)).toMatchObject({ deliveries: before, until });
    expect(await sink.deliveries('?status=FAILED')).toHaveLength(4);
    expect(expectStatus(await sink.api.get(`${sink.path}/recoveries`), 200).items).toEqual([]);
  });

  it('the preview names the running recovery', async () => {
    const { sink, endpoint, since } = await outage(1, [{ kind: 'hold' }]);
    const { id } = await started(sink, { since });
    expect(expectStatus(await preview(sink, { since }), 200).runningRecoveryId).toBe(id);
    await endpoint.does([OK]);
    await endpoint.release();
    await finished(sink, id);
  });

  it('more deliveries than allowed are refused, with advice on how to narrow the period', async () => {
    const { sink, since } = await outage(AT_MOST + 2, [OK]);
    const refused = expectStatus(await recover(sink, { since }), 422);
    expect(refused).toMatchObject({
      type: 'https://mapping.travel/errors/recovery-too-large',
      ...{ recoverAtMost: AT_MOST, until: expect.any(String) },
      detail: expect.stringContaining(`More than ${AT_MOST} deliveries`),
      errors: [{ pointer: '/until', detail: `must be ${refused.until} or earlier` }],
    });
    expect(expectStatus(await preview(sink, { since }), 422)).toMatchObject({ errors: [{ pointer: '?until' }] });
    // What it says works: first these, then the others.
    const first = await started(sink, { since, until: refused.until });
    expect(first.total).toBeGreaterThan(0);
    expect(await finished(sink, first.id)).toMatchObject({ delivered: first.total });
    const second = await started(sink, { since: refused.until });
    expect(first.total + second.total).toBe(AT_MOST + 2);
    expect(await finished(sink, second.id)).toMatchObject({ delivered: second.total });
    expect(await sink.deliveries('?status=FAILED')).toEqual([]);
  });

  it('a time more than 14 days ago is refused, with the earliest possible time', async () => {
    const { sink } = await outage(0, [OK]);
    const refused = expectStatus(await recover(sink, { since: '2020-01-01T00:00:00Z' }), 422);
    expect(refused).toMatchObject({
      type: 'https://mapping.travel/errors/recovery-too-far-back',
      ...{ recoverWithinMs: 1_209_600_000, earliestSince: expect.any(String) },
      detail: expect.stringContaining('336 hours'),
      errors: [{ pointer: '/since', detail: `must be ${refused.earliestSince} or later` }],
    });
    expect(expectStatus(await recover(sink, { since: '0000-01-01T00:00:00Z' }), 422).type).toBe(refused.type);
    const later = new Date(Date.parse(refused.earliestSince) + 60_000).toISOString();
    expect(await started(sink, { since: later })).toMatchObject({ total: 0 });
  });

  it.each([
    ['/since', 'must be a time', {}],
    ['/since', 'must be a time', { since: 'yesterday' }],
    ['/since', 'must be a time', { since: '2026-05-25' }],
    ['/since', 'must be a time', { since: 1_779_712_496 }],
    ['/since', 'must be a time', { since: null }],
    ['/since', 'must be a time', { since: '2026-99-99T00:00:00Z' }],
    ['/since', 'must not be in the future', { since: '2999-01-01T00:00:00Z' }],
    ['/until', 'must be a time', { since: '2026-05-25T00:00:00Z', until: null }],
    ['/until', 'must be later than since', { since: '2026-05-25T00:00:00Z', until: '2026-05-25T00:00:00Z' }],
    ['/from', 'is not a field', { since: '2026-05-25T00:00:00Z', from: 1 }],
  ])('%s that %s is refused: %j', async (pointer, detail, body) => {
    const { sink } = await outage(0, [OK]);
    expect(expectStatus(await recover(sink, body), 422)).toMatchObject({
      type: 'https://mapping.travel/errors/validation-failed',
      errors: [{ pointer, detail: expect.stringContaining(detail) }],
    });
  });

  it.each([
    ['the agent is paused', 'agent-inactive', ({ agent }: Outage) => agent.pause()],
    [
      'the sink is not active',
      'sink-inactive',
      ({ sink }: Outage) => sink.api.patch(sink.path, { status: 'INACTIVE' }),
    ],
  ])('nothing is started while %s', async (_name, code, change) => {
    const made = await outage(1, [OK]);
    await change(made);
    const refused = expectStatus(await recover(made.sink, { since: made.since }), 409);
    expect(refused.type).toBe(`https://mapping.travel/errors/${code}`);
    expect(await made.sink.deliveries('?status=FAILED')).toHaveLength(1);
  });

  it('nothing is started on a plan without data sinks', async () => {
    const made = await outage(1, [OK]);
    await platform().changePlan(made.agent.customer.workspaceId, 'PRO');
    expect(expectStatus(await recover(made.sink, { since: made.since }), 403).type).toMatch(/plan-required$/);
  });
});

describe('the recoveries of a sink', () => {
  it('are listed newest first, in pages, only for their workspace', async () => {
    const { agent, sink, since } = await outage(1, [OK]);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { id } = await started(sink, { since });
      ids.unshift(id);
      await finished(sink, id);
    }
    const first = expectStatus(await sink.api.get(`${sink.path}/recoveries?limit=2`), 200);
    const second = expectStatus(await sink.api.get(`${sink.path}/recoveries?limit=2&cursor=${first.nextCursor}`), 200);
    expect([...first.items, ...second.items].map(({ id }: Body) => id)).toEqual(ids);
    expect(first.items[0]).toEqual(await read(sink, ids[0] ?? ''));
    expect(second.nextCursor).toBeNull();
    const other = await agent.sink(await platform().receiver.endpoint());
    expectStatus(await sink.api.get(`${other.path}/recoveries/${ids[0]}`), 404);
    expectStatus(await sink.api.post(`${other.path}/recoveries/${ids[0]}/cancel`), 404);
    expect(expectStatus(await sink.api.get(`${other.path}/recoveries`), 200).items).toEqual([]);
  });
});
