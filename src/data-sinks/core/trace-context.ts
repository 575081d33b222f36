/** Where in a distributed trace something happened (W3C Trace Context). */
export interface TraceContext {
  /** `00-<32 hexadecimal digits>-<16>-<2>`, lower case. */
  readonly traceparent: string;
  /** What tracing systems added to it. It goes into our own spans, and never to a receiver. */
  readonly tracestate?: string | undefined;
}

/** A `traceparent` taken apart. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Bit 1: sampled. */
  readonly traceFlags: number;
}

/** Version 00 has exactly these parts; a later one may add more behind a dash, and is read as if it were 00. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const MAX_TRACEPARENT_LENGTH = 256;

/** A list of printable ASCII; the specification lets whoever passes it on drop what is longer. */
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
 * A context that came from outside, as it may be stored. A malformed one is dropped and fails nothing: a trace that is
 * not continued is no reason to keep a customer's results back.
 */
export function acceptTraceContext(given: unknown): TraceContext | null {
  if (typeof given !== 'object' || given === null) return null;
  const { traceparent, tracestate } = given as { readonly traceparent?: unknown; readonly tracestate?: unknown };
  const parent = parseTraceparent(traceparent);
  if (!parent) return null;
  const isState = typeof tracestate === 'string' && TRACESTATE.test(tracestate);
  return { traceparent: formatTraceparent(parent), ...(isState && { tracestate }) };
}
