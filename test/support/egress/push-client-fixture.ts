import { createNetworkPolicy } from '../../../src/data-sinks/domain/network-policy.js';
import {
  PushClient,
  type PushBody,
  type PushClientOptions,
  type PushRequest,
} from '../../../src/data-sinks/egress/index.js';

export const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128'];

/** A client that may connect only to loopback. */
export function loopbackClient(options: Partial<PushClientOptions> = {}): PushClient {
  return new PushClient({
    policy: createNetworkPolicy({ privateRanges: LOOPBACK_RANGES }),
    userAgent: 'data-sinks-test/1',
    earlyAnswerWaitMs: 50,
    ...options,
  });
}

export function wholeBody(text: string | Uint8Array): PushBody {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return {
    bytes: bytes.byteLength,
    whole: bytes,
    async *open() {
      yield bytes;
    },
  };
}

/** A body of this many bytes in chunks, never in memory as a whole. */
export function streamedBody(bytes: number, chunkBytes = 100_000): PushBody {
  const chunk = new Uint8Array(chunkBytes).fill(0x61);
  return {
    bytes,
    whole: null,
    async *open() {
      for (let left = bytes; left > 0; left -= chunkBytes) yield left >= chunkBytes ? chunk : chunk.subarray(0, left);
    },
  };
}

export function pushOf(
  url: string,
  body: PushBody = wholeBody('{"hello":"world"}'),
  more: Partial<PushRequest> = {},
): PushRequest {
  return { url, headers: { 'content-type': 'application/json' }, customHeaders: [], body, ...more };
}
