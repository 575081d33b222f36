import { channel } from 'node:diagnostics_channel';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Dispatcher } from 'undici';

/** undici publishes each request on this channel, and subscribers may add headers. Tracing libraries do this. */
const CREATED = channel('undici:request:create');

/**
 * The context key by which OpenTelemetry's SDK suppresses spans and propagation (`suppressTracing` of
 * `@opentelemetry/core`, which need not be installed). A span of the instrumentation would duplicate the attempt's span
 * and contain the URL, whose query may hold a token.
 */
const SUPPRESSED = ROOT_CONTEXT.setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true);

interface Created {
  readonly request: { readonly headers: string[] };
}

/** undici stores this header separately. */
const isLength = (name: string | undefined): boolean => name?.toLowerCase() === 'content-length';

/** undici drops `content-length: 0` from these; small receivers read a length from every request, and break without it. */
const LENGTH_IS_DROPPED: ReadonlySet<string> = new Set(['OPTIONS']);

/**
 * Dispatches a request with our headers only. Headers that the host's tracing adds for its own services (trace ids,
 * baggage) must not reach a customer's endpoint.
 */
export function dispatchOnlyOurs(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions & { readonly headers: string[] },
  handler: Dispatcher.DispatchHandler,
): void {
  const dispatch = (): boolean => context.with(SUPPRESSED, () => dispatcher.dispatch(options, handler));
  const lengthIsDropped = LENGTH_IS_DROPPED.has(options.method);
  // Without subscribers, no headers are added.
  if (!CREATED.hasSubscribers && !lengthIsDropped) {
    dispatch();
    return;
  }
  const ours = options.headers.filter((_, i) => lengthIsDropped || !isLength(options.headers[i - (i % 2)]));
  const restore = (message: unknown): void => {
    const { headers } = (message as Created).request;
    headers.splice(0, headers.length, ...ours);
  };
  // Subscribers run in the order of subscription, so this one runs last.
  CREATED.subscribe(restore);
  try {
    dispatch();
  } finally {
    CREATED.unsubscribe(restore);
  }
}
