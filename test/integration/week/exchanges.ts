import type { PushExchange } from '../../../src/data-sinks/egress/push-exchange.js';

const TIMINGS = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: 1, waitMs: 1, totalMs: 2 };

export function answered(
  httpStatus: number,
  excerpt = '',
  headers: readonly (readonly [string, string])[] = [],
): PushExchange {
  return {
    result: { kind: 'answered', httpStatus, retryAfterMs: null },
    answer: { httpStatus, headers, excerpt, ending: 'complete' },
    ...{ timings: TIMINGS, remoteAddress: null, operatorDetail: null },
  };
}

/** Of a connection that was refused nothing was uploaded. */
export function failed(errorCode: 'connection_refused' | 'response_timeout'): PushExchange {
  const timings = errorCode === 'response_timeout' ? TIMINGS : { ...TIMINGS, uploadMs: null, waitMs: null };
  return {
    result: { kind: 'failed', errorCode },
    ...{ answer: null, timings, remoteAddress: null, operatorDetail: null },
  };
}
