import { context, createTraceState, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { activeTraceContext } from '../../../../src/data-sinks/telemetry/active-trace.js';

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };

describe('the active trace', () => {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  const inSpan = (spanContext: Parameters<typeof trace.setSpanContext>[1]) =>
    context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), activeTraceContext);

  it('is null outside a span', () => {
    expect(activeTraceContext()).toBeNull();
  });

  it('is that of the active span, with its tracestate', () => {
    expect(inSpan(SPAN)).toEqual({ traceparent: `00-${SPAN.traceId}-${SPAN.spanId}-01` });
    expect(inSpan({ ...SPAN, traceFlags: 0, traceState: createTraceState('a=b,c=d') })).toEqual({
      traceparent: `00-${SPAN.traceId}-${SPAN.spanId}-00`,
      tracestate: 'a=b,c=d',
    });
  });

  it('is null in a span without a valid context', () => {
    expect(inSpan({ ...SPAN, traceId: '0'.repeat(32) })).toBeNull();
  });
});
