import { EventEmitter2 } from '@nestjs/event-emitter';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DATA_SINK_EVENTS } from '../../src/data-sinks/index.js';
import type { Body } from '../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

interface Heard {
  readonly name: string;
  readonly event: Body;
}
const heard: Heard[] = [];

beforeAll(() => {
  const emitter = platform().app.get(EventEmitter2);
  for (const name of Object.values(DATA_SINK_EVENTS)) {
    emitter.on(name, (event: Body) => void heard.push({ name, event }));
    // What a host's listener does must harm nothing.
    const fails: (...values: unknown[]) => unknown = () => Promise.reject(new Error('a listener that fails'));
    emitter.on(name, fails as (...values: unknown[]) => void);
  }
});

const eventsOf = (sink: Sink, name: string): Body[] =>
  heard.filter((one) => one.name === name && one.event.dataSourceId === sink.id).map(({ event }) => event);

async function sinkThat(steps: readonly ReceiverStep[]): Promise<{ agent: Agent; sink: Sink; endpoint: Endpoint }> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform().receiver.endpoint(steps);
  return { agent, endpoint, sink: await agent.sink(endpoint) };
}

async function readSink(sink: Sink): Promise<Body> {
  return expectStatus(await sink.api.get(sink.path), 200);
}

async function failTimes(sink: Sink, times: number): Promise<void> {
  for (let i = 0; i < times; i++) expect(await sink.settledPush()).toMatchObject({ status: 'FAILED' });
}

/** Makes what failed so far an hour older, as if the sink had been failing since then. */
async function anHourPasses(sink: Sink): Promise<void> {
  await platform().sql(
    `UPDATE agent_data_source_delivery SET settled_at = settled_at - interval '1 hour' WHERE data_source_id = $1`,
    [sink.id],
  );
}

async function disabledSink(
  steps: readonly ReceiverStep[] = [{ kind: 'answer', status: 500 }],
): ReturnType<typeof sinkThat> {
  const made = await sinkThat(steps);
  if (steps[0]?.kind !== 'answer' || steps[0].status !== 410) {
    await failTimes(made.sink, 4);
    await anHourPasses(made.sink);
  }
  await failTimes(made.sink, 1);
  await until(async () => (await readSink(made.sink)).status === 'DISABLED', 'the sink is disabled');
  return made;
}

async function auditOf(sink: Sink, action: string): Promise<Body[]> {
  await platform().audited();
  return platform().sql('SELECT * FROM agent_data_source_audit WHERE data_source_id = $1 AND action = $2', [
    sink.id,
    action,
  ]);
}

describe('a sink is disabled after five failed deliveries in a row, the first at least an hour ago', () => {
  it.each([
    ['REPEATED_AUTH_FAILURE', 'that end with 401', { kind: 'answer', status: 401 }],
    ['REPEATED_AUTH_FAILURE', 'that end with 403', { kind: 'answer', status: 403 }],
    ['REPEATED_REJECTION', 'that end with another 4xx', { kind: 'answer', status: 404 }],
    ['REPEATED_5XX', 'that end with a 5xx', { kind: 'answer', status: 503 }],
    ['REPEATED_NETWORK_FAILURE', 'whose connection is cut', { kind: 'reset' }],
  ] as const)('%s: %s', async (reason, _name, step) => {
    const { sink } = await sinkThat([step]);
    await failTimes(sink, 4);
    await anHourPasses(sink);
    expect(await readSink(sink)).toMatchObject({ status: 'ACTIVE', disabledReason: null, disabledAt: null });
    await failTimes(sink, 1);
    await until(async () => (await readSink(sink)).status === 'DISABLED', 'the sink is disabled');
    const { disabledReason, disabledAt } = await readSink(sink);
    expect(disabledReason).toBe(reason);
    expect(Math.abs(Date.now() - Date.parse(disabledAt))).toBeLessThan(60_000);
    await until(async () => (await auditOf(sink, 'DATA_SINK_DISABLED')).length === 1, 'it is on record');
    expect(eventsOf(sink, 'DataSinkDisabled')).toMatchObject([{ reason, failedDeliveries: 5 }]);
  });

  it('with the reason that most of them have', async () => {
    const { sink } = await sinkThat([401, 500, 500, 401, 500].map((status) => ({ kind: 'answer', status })));
    await failTimes(sink, 4);
    await anHourPasses(sink);
    await failTimes(sink, 1);
    await until(async () => (await readSink(sink)).disabledReason === 'REPEATED_5XX', 'the sink is disabled');
  });

  it('and not by any number of failures within an hour', async () => {
    const { sink } = await sinkThat([{ kind: 'answer', status: 500 }]);
    await failTimes(sink, 7);
    // What has to be asked is asked after a delivery is on record as failed: another one tells that it was.
    const other = await sinkThat([{ kind: 'answer', status: 410 }]);
    await failTimes(other.sink, 1);
    await until(async () => (await readSink(other.sink)).status === 'DISABLED', 'the other sink is disabled');
    expect(await readSink(sink)).toMatchObject({ status: 'ACTIVE' });
    await anHourPasses(sink);
    await failTimes(sink, 1);
    await until(async () => (await readSink(sink)).status === 'DISABLED', 'the eighth, an hour later, disables it');
    expect(await auditOf(sink, 'AGENT_RESULTS_PUSH_FAILED')).toHaveLength(8);
  });

  it('and not when one in between was delivered', async () => {
    const answers = [500, 500, 500, 500, 200, 500].map((status) => ({ kind: 'answer', status }) as const);
    const { sink } = await sinkThat(answers);
    await failTimes(sink, 4);
    await anHourPasses(sink);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
    await failTimes(sink, 4);
    expect(await readSink(sink)).toMatchObject({ status: 'ACTIVE', disabledReason: null });
  });

  it('at once when it answers 410: RECEIVER_GONE', async () => {
    const { sink } = await sinkThat([{ kind: 'answer', status: 410 }]);
    await failTimes(sink, 1);
    await until(async () => (await readSink(sink)).disabledReason === 'RECEIVER_GONE', 'the sink is disabled');
  });

  it('and its owner cannot set the status DISABLED', async () => {
    const { sink } = await sinkThat([{ kind: 'answer' }]);
    expectStatus(await sink.api.patch(sink.path, { status: 'DISABLED' }), 422);
  });
});

describe('while a sink is disabled', () => {
  it('new and waiting deliveries are kept, and nothing is sent', async () => {
    const { agent, sink, endpoint } = await disabledSink();
    const sent = endpoint.requests.length;
    const { id } = await sink.deliveryOf(await agent.finishJob());
    // Another customer's delivery goes through meanwhile: the worker has looked, more than once.
    const other = await sinkThat([{ kind: 'answer' }]);
    for (let i = 0; i < 3; i++) expect(await other.sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
    expect(await agent.customer.delivery(id)).toMatchObject({ status: 'PENDING', attemptCount: 0, settledAt: null });
    expect(endpoint.requests).toHaveLength(sent);
  });

  it('manual pushes and redeliveries are refused', async () => {
    const { agent, sink } = await disabledSink();
    const [failed] = await sink.deliveries();
    expect(await agent.api.post(`deliveries/${failed.id}/redeliver`)).toMatchObject({ status: 409 });
  });

  it('it can be changed, and stays disabled', async () => {
    const { sink } = await disabledSink();
    expect(expectStatus(await sink.api.patch(sink.path, { name: 'New name' }), 200)).toMatchObject({
      status: 'DISABLED',
    });
  });

  it('setting it INACTIVE cancels its waiting deliveries', async () => {
    const { agent, sink } = await disabledSink();
    const { id } = await sink.deliveryOf(await agent.finishJob());
    const changed = expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE' }), 200);
    expect(changed).toMatchObject({ status: 'INACTIVE', disabledReason: null, disabledAt: null });
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'CANCELLED', reason: 'sink_inactive' });
  });
});

describe('a disabled sink is reactivated and its waiting deliveries are sent', () => {
  it.each([
    [
      'test',
      'by a Test that passes',
      async (sink: Sink) => {
        const result = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
        expect(result).toMatchObject({ passed: true, reactivated: true });
      },
    ],
    [
      'change',
      'by setting its status ACTIVE',
      async (sink: Sink) => {
        expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
      },
    ],
  ] as const)('%s: %s', async (by, _name, reactivate) => {
    const { agent, sink, endpoint } = await disabledSink();
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await endpoint.does([{ kind: 'answer' }]);
    await reactivate(sink);
    expect(await readSink(sink)).toMatchObject({ status: 'ACTIVE', disabledReason: null, disabledAt: null });
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    expect(eventsOf(sink, 'DataSinkReactivated')).toEqual([expect.objectContaining({ by })]);
    expect(await auditOf(sink, 'DATA_SINK_REACTIVATED')).toHaveLength(1);
  });

  it('but not by a Test of its previous configuration', async () => {
    const { sink, endpoint } = await disabledSink();
    const elsewhere = await platform().receiver.endpoint();
    const before = endpoint.requests.length;
    await endpoint.does([{ kind: 'answer', delayMs: 500 }]);
    const testing = sink.api.post(`${sink.path}/test`);
    await until(() => endpoint.requests.length > before, 'the test is under way');
    expectStatus(await sink.api.patch(sink.path, { config: { url: elsewhere.url } }), 200);
    expect(expectStatus(await testing, 200)).toMatchObject({ passed: true, reactivated: false });
    expect(await readSink(sink)).toMatchObject({ status: 'DISABLED' });
  });

  it('but not by a Test that fails', async () => {
    const { sink } = await disabledSink();
    const result = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expect(result).toMatchObject({ passed: false, reactivated: false });
    expect(await readSink(sink)).toMatchObject({ status: 'DISABLED' });
  });

  it('and earlier failures no longer count', async () => {
    const { sink } = await disabledSink();
    expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
    await failTimes(sink, 6);
    expect(await readSink(sink)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('the host receives events', () => {
  it('for a delivery, with ids and numbers and nothing else', async () => {
    const { agent, sink } = await sinkThat([{ kind: 'answer', body: 'an answer of the receiver' }]);
    const { id, jobId } = await sink.settledPush();
    const [event] = await until(
      () => eventsOf(sink, 'DataSinkPushDelivered').length > 0 && eventsOf(sink, 'DataSinkPushDelivered'),
      'it is told',
    );
    expect(event).toEqual({
      ...{ workspaceId: agent.customer.workspaceId, agentId: agent.id, dataSourceId: sink.id, deliveryId: id },
      ...{ jobId, run: 1, part: null, trigger: 'AUTO', attempts: 1, httpStatus: 200 },
    });
  });

  it('for a failed delivery once, and not for each attempt', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 2 });
    const sink = await agent.sink(await platform().receiver.endpoint([{ kind: 'answer', status: 500 }]));
    await sink.settledPush();
    const events = await until(
      () => eventsOf(sink, 'DataSinkPushFailed').length > 0 && eventsOf(sink, 'DataSinkPushFailed'),
      'it is told',
    );
    expect(events).toEqual([
      expect.objectContaining({
        attempts: 3,
        reason: 'retries_exhausted',
        errorCode: 'receiver_error',
        httpStatus: 500,
      }),
    ]);
  });

  it('for a delivery that failed because the host’s results are gone', async () => {
    const { agent, sink } = await disabledSink([{ kind: 'answer', status: 410 }, { kind: 'answer' }]);
    const jobId = await agent.finishJob();
    await platform().sql('DELETE FROM host_mapping_job WHERE id = $1', [jobId]);
    expectStatus(await sink.api.patch(sink.path, { status: 'ACTIVE' }), 200);
    const isOfJob = (event: Body): boolean => event.jobId === jobId;
    const event = await until(() => eventsOf(sink, 'DataSinkPushFailed').find(isOfJob), 'it is told');
    expect(event).toMatchObject({ reason: 'results_missing', attempts: 0, lastAttemptStatus: null, httpStatus: null });
  });

  it('and an error of a listener is logged', async () => {
    const { sink } = await sinkThat([{ kind: 'answer' }]);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
    await until(() => JSON.stringify(platform().logs).includes('listener.failed'), 'the failed listener is logged');
  });
});
