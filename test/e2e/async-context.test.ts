import { AsyncLocalStorage } from 'node:async_hooks';
import type { Server } from 'node:http';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  HOST_AGENT_DIRECTORY,
  HOST_AUDIT_TRAIL,
  HOST_MAPPING_RESULTS,
  HOST_SECRET_VAULT,
  HOST_WORKSPACE_PLANS,
} from '../../src/data-sinks/data-sinks.tokens.js';
import { DATA_SINK_EVENTS, DataSinks, JOB_COMPLETED_EVENT, type JobCompleted } from '../../src/data-sinks/index.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** As a host keeps the tenant of a request, or its transaction. */
const request = new AsyncLocalStorage<string>();
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const REQUEST_SPAN = { traceId: 'f'.repeat(32), spanId: 'e'.repeat(16), traceFlags: 1 };

const platform = suitePlatform();

interface Seen {
  readonly asked: string;
  readonly request: string | undefined;
  readonly traceId: string | undefined;
  readonly baggage: string | undefined;
}
let seen: Seen[] = [];

/** What is active here, as a port of the host's would read it. */
function see(asked: string): void {
  seen.push({
    asked,
    request: request.getStore(),
    traceId: trace.getSpanContext(context.active())?.traceId,
    baggage: propagation.getActiveBaggage()?.getEntry('user')?.value,
  });
}

/** Everything that a request of a host with tracing has in its context. */
function inRequest<T>(work: () => T): T {
  const baggage = propagation.createBaggage({ user: { value: 'somebody@platform.example' } });
  const active = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, REQUEST_SPAN), baggage);
  return context.with(active, () => request.run('a request', work));
}

/** From now on a port's question is seen before it is answered. */
function spy(token: symbol, method: string): void {
  const port = platform().app.get<Record<string, (...args: unknown[]) => unknown>>(token, { strict: false });
  const answer = port[method]?.bind(port);
  port[method] = (...args) => {
    see(method);
    return answer?.(...args);
  };
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  spy(HOST_AGENT_DIRECTORY, 'findAgents');
  spy(HOST_WORKSPACE_PLANS, 'findPlans');
  spy(HOST_MAPPING_RESULTS, 'streamRows');
  spy(HOST_SECRET_VAULT, 'reveal');
  spy(HOST_AUDIT_TRAIL, 'record');
  for (const name of Object.values(DATA_SINK_EVENTS))
    platform()
      .app.get(EventEmitter2)
      .on(name, () => see(name));
  // Every request of the host's, those of the API too.
  const server = platform().app.getHttpServer() as Server;
  const serve = server.listeners('request') as ((...args: unknown[]) => void)[];
  server.removeAllListeners('request');
  server.on('request', (...args: unknown[]) =>
    inRequest(() => serve.forEach((listener) => listener.apply(server, args))),
  );
});
afterAll(() => context.disable());
beforeEach(() => {
  seen = [];
});

async function finishedJob(steps: Parameters<ReturnType<typeof platform>['receiver']['endpoint']>[0] = []) {
  const agent = await (await platform().customer()).agent();
  const jobId = await agent.finishJob();
  const endpoint = await platform().receiver.endpoint([...(steps ?? []), { kind: 'answer' }]);
  const sink = await agent.sink(endpoint);
  const event: JobCompleted = {
    ...{ jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId, run: 2 },
    ...{ completedAt: new Date(), stats: { total: 3, matched: 2, unmatched: 1 } },
    traceContext: { traceparent: TRACEPARENT },
  };
  seen = [];
  return { agent, sink, endpoint, event };
}

async function delivered(sink: Sink): Promise<void> {
  const { id } = await until(async () => (await sink.deliveries())[0], 'the delivery is made');
  expect(await sink.agent.customer.settled(id as string)).toMatchObject({ status: 'DELIVERED' });
  await until(() => asked('record') && asked(DATA_SINK_EVENTS.pushDelivered), 'the end of the delivery is told');
}

const asked = (name: string): boolean => seen.some((one) => one.asked === name && one.request === undefined);

/** The questions of the worker: those of the API's own requests are about these requests. */
function ofTheWorker(): readonly Seen[] {
  return seen.filter(({ asked: name }) => name !== 'findAgents' && name !== 'record');
}

const NOTHING = { request: undefined, baggage: undefined };

/**
 * The worker's own context, and in it the trace of the job where one job alone is asked for.
 * @param secret whether the vault is asked: a secret that was opened before is kept for a while
 */
function expectOwnContext(secret: readonly string[] = ['reveal']): void {
  expect(new Set(ofTheWorker().map((one) => one.asked))).toEqual(
    new Set(['findPlans', 'streamRows', ...secret, DATA_SINK_EVENTS.pushDelivered]),
  );
  for (const one of ofTheWorker()) {
    expect(one).toEqual({ ...NOTHING, asked: one.asked, traceId: one.asked === 'streamRows' ? TRACE_ID : undefined });
  }
}

describe('the worker does not see the async context of a request', () => {
  it('that recorded the completion in a transaction of the module', async () => {
    const { sink, event } = await finishedJob();
    await inRequest(() => platform().app.get(DataSinks).recordJobCompleted(event));
    // The question about several completions at once is nobody's request either.
    expect(seen[0]).toEqual({ ...NOTHING, asked: 'findAgents', traceId: undefined });
    await delivered(sink);
    expectOwnContext();
  });

  it('that recorded the completion in its own transaction, whose commit wakes the worker', async () => {
    const { sink, event } = await finishedJob();
    await inRequest(() =>
      platform().database.transaction((manager) => platform().app.get(DataSinks).recordJobCompleted(event, manager)),
    );
    // This question is the caller's own, in its own transaction.
    expect(seen[0]).toMatchObject({ asked: 'findAgents', request: 'a request' });
    await delivered(sink);
    expectOwnContext();
  });

  it('that emitted the event', async () => {
    const { sink, event } = await finishedJob();
    inRequest(() => platform().app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, event));
    await delivered(sink);
    expectOwnContext();
  });

  it('at a retry, which a timer starts', async () => {
    const { sink, endpoint, event } = await finishedJob([{ kind: 'answer', status: 503 }]);
    await inRequest(() => platform().app.get(DataSinks).recordJobCompleted(event));
    await delivered(sink);
    await endpoint.received(2);
    expectOwnContext();
    expect(seen.filter((one) => one.asked === 'findPlans').length).toBeGreaterThanOrEqual(2);
  });

  it('that made a manual push', async () => {
    const { agent, sink } = await finishedJob();
    const jobId = await agent.finishJob();
    await sink.deliveryOf(jobId);
    seen = [];
    const { id } = (await sink.deliveries())[0] as { id: string };
    await agent.customer.settled(id);
    seen = [];
    expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
    await until(() => seen.some((one) => one.asked === DATA_SINK_EVENTS.pushDelivered), 'it is delivered');
    const names = ['reveal', DATA_SINK_EVENTS.pushDelivered];
    for (const one of seen.filter((found) => names.includes(found.asked))) expect(one).toMatchObject(NOTHING);
    // The plan is asked for twice: by the request, of its caller, and by the worker.
    expect(seen.filter((one) => one.asked === 'findPlans').map((one) => one.request)).toContain(undefined);
  });
});

describe('a Test started by a request', () => {
  it('calls the vault outside its context, and writes its audit entry within it', async () => {
    const { sink } = await finishedJob();
    expect(expectStatus(await sink.api.post(`${sink.path}/test`), 200)).toMatchObject({ passed: true });
    expect(seen.filter((one) => one.asked === 'reveal')).toEqual([{ ...NOTHING, asked: 'reveal', traceId: undefined }]);
    expect(seen.filter((one) => one.asked === 'record')).toEqual([expect.objectContaining({ request: 'a request' })]);
  });

  it('leaves nothing of it in the connection that the next push reuses', async () => {
    const { sink, endpoint, event } = await finishedJob();
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    seen = [];
    await platform().app.get(DataSinks).recordJobCompleted(event);
    await delivered(sink);
    const [, push] = await endpoint.received(2);
    expectOwnContext([]);
    for (const name of ['traceparent', 'tracestate', 'baggage']) expect(push?.headers).not.toHaveProperty(name);
  });
});
