/** A position in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  /** `00-<32 hexadecimal digits>-<16>-<2>`, lower case. */
  readonly traceparent: string;
  /** Vendor data of tracing systems. Used in our own spans, never sent to a receiver. */
  readonly tracestate?: string | undefined;
}

/** A parsed `traceparent`. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Bit 1: sampled. */
  readonly traceFlags: number;
}

/** Version 00 has exactly these fields. Later versions may append fields; they are read as version 00. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const MAX_TRACEPARENT_LENGTH = 256;

/** Printable ASCII. The specification allows dropping a longer list. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** @returns null for what is not a `traceparent` */
export function parseTraceparent(text: unknown): TraceParent | null {
  if (typeof text !== 'string' || text.length > MAX_TRACEPARENT_LENGTH) return null;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

export function formatTraceparent({ traceId, spanId, traceFlags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`;
}

/**
 * Validates a context from outside before it is stored. A malformed one is dropped without an error: a broken trace
 * must not hold back a customer's results.
 */
export function acceptTraceContext(given: unknown): TraceContext | null {
  if (typeof given !== 'object' || given === null) return null;
  const { traceparent, tracestate } = given as { readonly traceparent?: unknown; readonly tracestate?: unknown };
  const parent = parseTraceparent(traceparent);
  if (!parent) return null;
  const isState = typeof tracestate === 'string' && TRACESTATE.test(tracestate);
  return { traceparent: formatTraceparent(parent), ...(isState && { tracestate }) };
}
