import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { formatTraceparent, type TraceContext } from '../domain/trace-context.js';

/**
 * The active OpenTelemetry context. Read directly, not through a propagator: the host's propagator determines how it
 * talks to others, not what we store.
 * @returns null when there is none, e.g. without an SDK
 */
export function activeTraceContext(): TraceContext | null {
  const active = trace.getSpanContext(context.active());
  if (!active || !isSpanContextValid(active)) return null;
  const tracestate = active.traceState?.serialize();
  return { traceparent: formatTraceparent(active), ...(tracestate && { tracestate }) };
}
