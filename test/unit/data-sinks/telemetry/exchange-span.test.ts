import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { TracedExchange } from '../../../../src/data-sinks/telemetry/exchange-span.js';
import { Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const JOB_SPAN_ID = 'b7ad6b7169203331';
const JOB = { traceparent: `00-${TRACE_ID}-${JOB_SPAN_ID}-01`, tracestate: 'vendor=state' };
const STARTED_AT = new Date('2026-05-25T12:34:56.789Z');
const ENDED: TracedExchange = {
  ...{
    workspaceId: 'ws_1',
    deliveryId: 'dlv_1',
    dataSourceId: 'ads_1',
    jobId: 'job_1',
    attemptNumber: 2,
    totalMs: 250,
  },
  ...{ status: 'HTTP_5XX', errorCode: 'receiver_error', httpStatus: 503 },
};

function sdk(sampler?: Sampler): { telemetry: Telemetry; spans: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler && { sampler }),
  });
  return { telemetry: new Telemetry({ tracerProvider }), spans: () => exporter.getFinishedSpans() };
}

describe('the span of an attempt', () => {
  it('is a child of the job’s, a client’s, with ids and codes and the attempt’s own times', () => {
    const { telemetry, spans } = sdk();
    telemetry.exchange('data_sinks.attempt', JOB, STARTED_AT).end(ENDED);
    const [span] = spans();
    expect(span).toMatchObject({
      name: 'data_sinks.attempt',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.ERROR },
      attributes: {
        'data_sinks.delivery.id': 'dlv_1',
        'data_sinks.sink.id': 'ads_1',
        'data_sinks.job.id': 'job_1',
        'data_sinks.attempt.number': 2,
        'data_sinks.attempt.status': 'HTTP_5XX',
        'error.type': 'receiver_error',
        'http.response.status_code': 503,
      },
    });
    expect(span?.spanContext()).toMatchObject({ traceId: TRACE_ID, traceFlags: 1 });
    expect(span?.spanContext().traceState?.serialize()).toBe('vendor=state');
    expect(span?.parentSpanContext).toMatchObject({ spanId: JOB_SPAN_ID, isRemote: true });
    const [seconds, nanoseconds] = span?.startTime ?? [0, 0];
    expect(seconds * 1_000 + nanoseconds / 1e6).toBe(STARTED_AT.getTime());
    expect(span?.duration).toEqual([0, 250_000_000]);
  });

  it('has no error when it was delivered', () => {
    const { telemetry, spans } = sdk();
    telemetry
      .exchange('data_sinks.test', JOB, STARTED_AT)
      .end({ ...ENDED, status: 'SUCCEEDED', errorCode: null, httpStatus: 200 });
    expect(spans()).toMatchObject([{ name: 'data_sinks.test', status: { code: SpanStatusCode.UNSET } }]);
  });

  it('is passed to the receiver with its own span id', () => {
    const { telemetry, spans } = sdk();
    const exchange = telemetry.exchange('data_sinks.attempt', JOB, STARTED_AT);
    exchange.end(ENDED);
    expect(exchange.traceparent).toBe(`00-${TRACE_ID}-${spans()[0]?.spanContext().spanId}-01`);
  });

  it.each([['none', null] as const, ['rubbish', { traceparent: 'rubbish' }] as const])(
    'begins a trace of its own when the job’s is %s',
    (_what, parent) => {
      const { telemetry, spans } = sdk();
      const other = telemetry.exchange('data_sinks.attempt', parent, STARTED_AT);
      other.end(ENDED);
      const [span] = spans();
      expect(span?.parentSpanContext).toBeUndefined();
      expect(other.traceparent).toBe(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`);
    },
  );

  it('that is not sampled is passed to the receiver as such, with its own span id', () => {
    const { telemetry, spans } = sdk(new AlwaysOffSampler());
    const exchange = telemetry.exchange('data_sinks.attempt', JOB, STARTED_AT);
    exchange.end(ENDED);
    expect(exchange.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-(?!${JOB_SPAN_ID})[0-9a-f]{16}-00$`));
    expect(spans()).toEqual([]);
  });
});

describe('without an SDK', () => {
  it('the receiver gets a child of the job’s context, with a new span id for each attempt', () => {
    const telemetry = new Telemetry();
    const told = [1, 2].map(() => {
      const exchange = telemetry.exchange('data_sinks.attempt', JOB, STARTED_AT);
      exchange.end(ENDED);
      return exchange.traceparent;
    });
    for (const one of told) expect(one).toMatch(new RegExp(`^00-${TRACE_ID}-(?!${JOB_SPAN_ID})[0-9a-f]{16}-01$`));
    expect(told[0]).not.toBe(told[1]);
  });

  it('and no traceparent without a trace', () => {
    for (const parent of [null, { traceparent: 'rubbish' }]) {
      const exchange = new Telemetry({ tracerProvider: trace }).exchange('data_sinks.attempt', parent, STARTED_AT);
      expect(exchange.traceparent).toBeNull();
      expect(() => exchange.end(ENDED)).not.toThrow();
    }
  });
});
