import {
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  type SpanContext,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { AttemptErrorCode, AttemptStatus } from '../core/attempt.js';
import { formatTraceparent, parseTraceparent, type TraceContext } from '../core/trace-context.js';

/** A push, or the Test button's. */
export type ExchangeSpanName = 'data_sinks.attempt' | 'data_sinks.test';

/** An exchange as its span tells it: ids and codes; no URL, since its query may hold a token. */
export interface TracedExchange {
  readonly deliveryId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly attemptNumber: number;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  readonly totalMs: number;
}

/** The span of an exchange under way. */
export interface ExchangeSpan {
  /** For the receiver; null when there is no trace to go on with. */
  readonly traceparent: string | null;
  /** Once. */
  end(exchange: TracedExchange): void;
}

/**
 * A child of the job's context, as OpenTelemetry's conventions allow for one message at a time: a retry of hours later is
 * seen in the trace of its job. Without one it is a root: whatever is active here woke the worker, and has no part in it.
 * @param newSpanId 16 hexadecimal digits, for a receiver that goes on with the trace where no SDK makes spans
 */
export function beginExchangeSpan(
  tracer: Tracer,
  name: ExchangeSpanName,
  parent: TraceContext | null,
  startedAt: Date,
  newSpanId: () => string,
): ExchangeSpan {
  const parentContext = parent && toSpanContext(parent);
  const context = parentContext ? trace.setSpanContext(ROOT_CONTEXT, parentContext) : ROOT_CONTEXT;
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime: startedAt }, context);
  return {
    traceparent: traceparentOf(span.spanContext(), parentContext, newSpanId),
    end({ totalMs, ...about }) {
      if (!span.isRecording()) return span.end();
      span.setAttributes({
        'data_sinks.delivery.id': about.deliveryId,
        'data_sinks.sink.id': about.dataSourceId,
        'data_sinks.job.id': about.jobId,
        'data_sinks.attempt.number': about.attemptNumber,
        'data_sinks.attempt.status': about.status,
        ...(about.errorCode !== null && { 'error.type': about.errorCode }),
        ...(about.httpStatus !== null && { 'http.response.status_code': about.httpStatus }),
      });
      if (about.status !== 'SUCCEEDED') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(new Date(startedAt.getTime() + totalMs));
    },
  };
}

/** Without an SDK the "span" is the parent itself, or none. */
function traceparentOf(own: SpanContext, parent: SpanContext | null, newSpanId: () => string): string | null {
  if (isSpanContextValid(own) && own.spanId !== parent?.spanId) return formatTraceparent(own);
  return parent && formatTraceparent({ ...parent, spanId: newSpanId() });
}

function toSpanContext({ traceparent, tracestate }: TraceContext): SpanContext | null {
  const parent = parseTraceparent(traceparent);
  return parent && { ...parent, isRemote: true, ...(tracestate && { traceState: createTraceState(tracestate) }) };
}
