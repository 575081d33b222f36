import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { DataSinks, JOB_COMPLETED_EVENT, type JobCompleted, type TraceContext } from '../../src/data-sinks/index.js';
import { Upkeep } from '../../src/data-sinks/upkeep/upkeep.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceivedRequest, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const platform = suitePlatform({ options: { tracerProvider, sweepMs: 600_000 } });

// As the SDK of a host does it: what is active follows its promises and events.
beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const JOB_SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${JOB_SPAN_ID}-01`;

interface Traced {
  readonly sink: Sink;
  readonly endpoint: Endpoint;
  /** A second run of the job that the agent has finished, as the host would tell of it. */
  readonly event: JobCompleted;
}

async function tracedSink(
  config: Readonly<Record<string, unknown>> = {},
  steps: readonly ReceiverStep[] = [{ kind: 'answer' }],
): Promise<Traced> {
  const agent = await (await platform().customer()).agent();
  const jobId = await agent.finishJob();
  const endpoint = await platform().receiver.endpoint(steps);
  const sink = await agent.sink(endpoint, { config: { url: endpoint.url, authScheme: 'HmacSha256', ...config } });
  const event: JobCompleted = {
    ...{ jobId, agentId: agent.id, workspaceId: agent.customer.workspaceId, run: 2 },
    ...{ completedAt: new Date(), stats: { total: 3, matched: 2, unmatched: 1 } },
  };
  return { sink, endpoint, event };
}

async function pushed({ sink, event }: Traced, traceContext?: unknown): Promise<string> {
  const told = { ...event, ...(traceContext !== undefined && { traceContext: traceContext as TraceContext }) };
  expect(await platform().app.get(DataSinks).recordJobCompleted(told)).toBe(1);
  return settled(sink, event);
}

async function settled(sink: Sink, { jobId }: JobCompleted): Promise<string> {
  const { id } = await until(async () => (await sink.deliveries(`?jobId=${jobId}`))[0], 'the delivery is made');
  const { status } = await sink.agent.customer.settled(id as string);
  expect(status).toBe('DELIVERED');
  return id as string;
}

/** The spans of a delivery's attempts, in their order. */
async function spansOf(deliveryId: string, count = 1): Promise<ReadableSpan[]> {
  return until(() => {
    const found = exporter
      .getFinishedSpans()
      .filter(({ attributes }) => attributes['data_sinks.delivery.id'] === deliveryId);
    return found.length === count && found;
  }, `the spans of ${deliveryId} have ended`);
}

const traceparents = (requests: readonly ReceivedRequest[]): (string | undefined)[] =>
  requests.map(({ headers }) => headers['traceparent']);

const inHostsSpan = <T>(work: () => T): T =>
  context.with(trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId: JOB_SPAN_ID, traceFlags: 1 }), work);

describe('a push continues the trace of its job', () => {
  it('named in the event, and the receiver gets the span’s own id', async () => {
    const traced = await tracedSink({ sendTraceparent: true });
    const [span] = await spansOf(await pushed(traced, { traceparent: TRACEPARENT, tracestate: 'vendor=state' }));
    expect(span?.name).toBe('data_sinks.attempt');
    expect(span?.spanContext().traceId).toBe(TRACE_ID);
    expect(span?.parentSpanContext?.spanId).toBe(JOB_SPAN_ID);
    const [request] = await traced.endpoint.received(1);
    expect(request?.headers).toMatchObject({ traceparent: `00-${TRACE_ID}-${span?.spanContext().spanId}-01` });
    // What other vendors have added is nobody's outside.
    expect(request?.headers).not.toHaveProperty('tracestate');
  });

  it('in every attempt, each with its own span id', async () => {
    const traced = await tracedSink({ sendTraceparent: true }, [{ kind: 'answer', status: 503 }, { kind: 'answer' }]);
    const spans = await spansOf(await pushed(traced, { traceparent: TRACEPARENT }), 2);
    expect(spans.map(({ attributes }) => attributes['data_sinks.attempt.status'])).toEqual(['HTTP_5XX', 'SUCCEEDED']);
    expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(2);
    for (const span of spans) expect(span.parentSpanContext?.spanId).toBe(JOB_SPAN_ID);
    expect(traceparents(await traced.endpoint.received(2))).toEqual(
      spans.map((span) => `00-${TRACE_ID}-${span.spanContext().spanId}-01`),
    );
  });

  it('that is active where the host emits its event', async () => {
    const traced = await tracedSink({ sendTraceparent: true });
    inHostsSpan(() => platform().app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, traced.event));
    const [span] = await spansOf(await settled(traced.sink, traced.event));
    expect(span?.parentSpanContext?.spanId).toBe(JOB_SPAN_ID);
    expect(traceparents(await traced.endpoint.received(1))).toEqual([
      expect.stringMatching(new RegExp(`^00-${TRACE_ID}-`)),
    ]);
  });

  it('that is active where the host records it in its own transaction', async () => {
    const traced = await tracedSink();
    await inHostsSpan(() =>
      platform().database.transaction((manager) =>
        platform().app.get(DataSinks).recordJobCompleted(traced.event, manager),
      ),
    );
    const [span] = await spansOf(await settled(traced.sink, traced.event));
    expect(span?.spanContext().traceId).toBe(TRACE_ID);
  });

  it('and sends the receiver no traceparent unless the sink requests it', async () => {
    const traced = await tracedSink();
    await pushed(traced, { traceparent: TRACEPARENT });
    expect(traceparents(await traced.endpoint.received(1))).toEqual([undefined]);
    expect(expectStatus(await traced.sink.api.get(traced.sink.path), 200).config.sendTraceparent).toBe(false);
    const change = { config: { sendTraceparent: true } };
    const changed = expectStatus(await traced.sink.api.patch(traced.sink.path, change), 200);
    expect(changed.config.sendTraceparent).toBe(true);
    await pushed({ ...traced, event: { ...traced.event, run: 3 } }, { traceparent: TRACEPARENT });
    expect(traceparents(await traced.endpoint.received(2))[1]).toMatch(new RegExp(`^00-${TRACE_ID}-`));
  });

  it('and its traceparent replaces one among the sink’s custom headers', async () => {
    const customHeaders = [{ name: 'Traceparent', value: 'constant' }];
    const traced = await tracedSink({ sendTraceparent: true, customHeaders });
    await pushed(traced, { traceparent: TRACEPARENT });
    const [request] = await traced.endpoint.received(1);
    expect(request?.rawHeaders.filter((name) => name.toLowerCase() === 'traceparent')).toHaveLength(1);
    expect(request?.headers['traceparent']).toMatch(new RegExp(`^00-${TRACE_ID}-`));
  });
});

describe('without a trace to continue', () => {
  it.each([
    ['a text', 'rubbish'],
    ['null', null],
    ['without a traceparent', {}],
    ['with zeros', { traceparent: `00-${'0'.repeat(32)}-${JOB_SPAN_ID}-01` }],
    ['with a NUL', { traceparent: `${TRACEPARENT}\0`, tracestate: 'a\0b' }],
    ['with a line break', { traceparent: `${TRACEPARENT}\r\nX-Injected: yes` }],
  ])('a malformed context (%s) is dropped, and the push starts its own trace', async (_what, malformed) => {
    const traced = await tracedSink({ sendTraceparent: true });
    const [span] = await spansOf(await pushed(traced, malformed));
    expect(span?.parentSpanContext).toBeUndefined();
    const [request] = await traced.endpoint.received(1);
    expect(request?.headers).toMatchObject({
      traceparent: `00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`,
    });
    expect(request?.headers).not.toHaveProperty('x-injected');
  });

  it('the trace of the sweep, or of the waking request, is not used', async () => {
    const traced = await tracedSink();
    const first = await traced.sink.settledPush();
    const jobId = first.jobId as string;
    for (const table of ['delivery', 'job'])
      await platform().sql(`DELETE FROM agent_data_source_${table} WHERE job_id = $1`, [jobId]);
    await inHostsSpan(() => platform().app.get(Upkeep, { strict: false }).sweep());
    const id = await settled(traced.sink, { ...traced.event, jobId });
    expect(id).not.toBe(first.id);
    const [span] = await spansOf(id);
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.spanContext().traceId).not.toBe(TRACE_ID);
  });
});

describe('a Test', () => {
  it('sends a traceparent if the sink requests it, and shows it', async () => {
    const { sink, endpoint } = await tracedSink({ sendTraceparent: true });
    const { sent } = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    const [request] = await endpoint.received(1);
    const [span] = await spansOf(request?.headers['x-mt-delivery-id'] ?? '');
    expect(span?.name).toBe('data_sinks.test');
    expect(sent.headers.traceparent).toBe(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`);
    expect(traceparents([...endpoint.requests])).toEqual([sent.headers.traceparent]);
  });
});

it.each([['yes'], [1], [null]])('sendTraceparent is true or false, not %j', async (sendTraceparent) => {
  const { sink } = await tracedSink();
  const refused = expectStatus(await sink.api.patch(sink.path, { config: { sendTraceparent } }), 422);
  expect(refused.errors).toMatchObject([{ pointer: '/config/sendTraceparent' }]);
});
