import {
  context,
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  type SpanContext,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { AttemptErrorCode, AttemptStatus } from '../domain/attempt.js';
import { formatTraceparent, parseTraceparent, type TraceContext } from '../domain/trace-context.js';

/** A push or a Test. */
export type ExchangeSpanName = 'data_sinks.attempt' | 'data_sinks.test';

/** Attributes of an exchange's span: ids and codes. No URL, since its query may hold a token. */
export interface TracedExchange {
  readonly workspaceId: string;
  readonly deliveryId: string;
  readonly dataSourceId: string;
  readonly jobId: string;
  readonly attemptNumber: number;
  readonly status: AttemptStatus;
  readonly errorCode: AttemptErrorCode | null;
  readonly httpStatus: number | null;
  readonly totalMs: number;
}

/** The span of an exchange in progress. */
export interface ExchangeSpan {
  /** The `traceparent` for the receiver; null without a trace. */
  readonly traceparent: string | null;
  /** Call once. */
  end(exchange: TracedExchange): void;
}

/**
 * Starts a child span of the job's context, as OpenTelemetry's conventions allow for single messages: a retry hours
 * later still appears in its job's trace. Without a job context it is a root span; the active context only woke the
 * worker and is ignored.
 * @param newSpanId 16 hexadecimal digits, used when no SDK makes spans, so that a receiver can continue the trace
 */
export function beginExchangeSpan(
  tracer: Tracer,
  name: ExchangeSpanName,
  parent: TraceContext | null,
  startedAt: Date,
  newSpanId: () => string,
): ExchangeSpan {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime: startedAt }, contextOf(parent));
  return {
    traceparent: traceparentOf(span.spanContext(), parent && toSpanContext(parent), newSpanId),
    end({ totalMs, ...about }) {
      if (!span.isRecording()) return span.end();
      span.setAttributes({
        'data_sinks.workspace.id': about.workspaceId,
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

/**
 * Runs part of a push in the trace of its job, so that the host's instrumentation (e.g. of a port's query) is
 * attributed to it. The caller's own context, including baggage, is dropped.
 */
export function inTrace<T>(parent: TraceContext | null, work: () => T): T {
  return context.with(contextOf(parent), work);
}

function contextOf(parent: TraceContext | null): Context {
  const spanContext = parent && toSpanContext(parent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT;
}

/** Without an SDK, the returned span is the parent itself, or none. */
function traceparentOf(own: SpanContext, parent: SpanContext | null, newSpanId: () => string): string | null {
  if (isSpanContextValid(own) && own.spanId !== parent?.spanId) return formatTraceparent(own);
  return parent && formatTraceparent({ ...parent, spanId: newSpanId() });
}

function toSpanContext({ traceparent, tracestate }: TraceContext): SpanContext | null {
  const parent = parseTraceparent(traceparent);
  return parent && { ...parent, isRemote: true, ...(tracestate && { traceState: createTraceState(tracestate) }) };
}
