import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { formatTraceparent, type TraceContext } from '../core/trace-context.js';

/**
 * The OpenTelemetry context that is active here. Read as it is and not through a propagator: which one the host has
 * registered, and whether any, says how it speaks to others and nothing of what we store.
 * @returns null when there is none, as without an SDK
 */
export function activeTraceContext(): TraceContext | null {
  const active = trace.getSpanContext(context.active());
  if (!active || !isSpanContextValid(active)) return null;
  const tracestate = active.traceState?.serialize();
  return { traceparent: formatTraceparent(active), ...(tracestate && { tracestate }) };
}
