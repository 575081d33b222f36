import type { AttemptTimings, ExchangeAnswer } from '../domain/attempt.js';
import type { ExchangeResult } from '../domain/attempt-outcome.js';
import type { CancelSignal } from '../tools/cancellation.js';
import type { CustomHeader } from '../domain/custom-headers.js';
import type { NetworkPolicy } from '../domain/network-policy.js';
import type { Resolver } from './resolver.js';

/** The body's bytes; every read returns the same bytes. */
export interface PushBody {
  readonly bytes: number;
  /** Returns a new stream of exactly `bytes` bytes on each call. */
  open(): AsyncIterable<Uint8Array>;
  /** Set when the body is small and in memory. */
  readonly whole: Uint8Array | null;
}

/** Of a request that has none. */
export const NO_BODY: PushBody = { bytes: 0, whole: Buffer.alloc(0), open: async function* () {} };

export interface PushRequest {
  /** @default 'POST' */
  readonly method?: 'POST' | 'PUT' | 'GET' | 'HEAD' | 'DELETE' | 'OPTIONS';
  /** As stored with the sink. Parsed and judged anew. */
  readonly url: string;
  /** Content type, signatures, authorization, ids. They override custom headers of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly customHeaders: readonly CustomHeader[];
  readonly body: PushBody;
  /**
   * Sends it on a new connection, which cannot have been closed while idle.
   * @default false
   */
  readonly freshConnection?: boolean;
  /** Whether a large body waits a moment for an early answer, once its head is sent. @default true */
  readonly awaitsEarlyAnswer?: boolean;
  /** Makes `post()` reject with the signal's reason, so that the delivery can be handed back. */
  readonly signal?: CancelSignal;
}

/** What came of one POST. */
export interface PushExchange {
  readonly result: ExchangeResult;
  readonly timings: AttemptTimings;
  /** Null when there was no answer. */
  readonly answer: ExchangeAnswer | null;
  /** Null when nothing was connected to. */
  readonly remoteAddress: string | null;
  /** For logs only: it may contain addresses, which a tenant must not see. */
  readonly operatorDetail: string | null;
}

/** Deadline of each phase in milliseconds. A single total would kill slow but healthy uploads. */
export interface PushDeadlines {
  /** @default 5000 */
  readonly dnsMs: number;
  /** TCP, over all addresses. @default 10000 */
  readonly connectMs: number;
  /** TLS handshake. @default 10000 */
  readonly tlsMs: number;
  /** For the receiver to accept the next piece of at most 64 KB. @default 30000 */
  readonly uploadIdleMs: number;
  /** From the end of the upload to the head of the final response. @default 30000 */
  readonly responseHeadersMs: number;
  /** From the head to the end of the response body. @default 10000 */
  readonly responseBodyMs: number;
}

export interface PushCaps {
  /** Bytes of a response body to read before the connection is destroyed. @default 16384 */
  readonly answerBytes: number;
  /** An answer with a longer head is no answer. @default 65536 */
  readonly answerHeaderBytes: number;
}

/** Result of checking an endpoint without sending anything. */
export type EndpointVerdict =
  | { readonly kind: 'fine' }
  /**
   * - `address_refused`: one of its addresses is refused
   * - `url_refused`: its URL is allowed only in ranges that the operator opened, and it lies outside of them
   * - `unresolved`: its name cannot be resolved now
   */
  | {
      readonly kind: 'address_refused' | 'url_refused' | 'unresolved';
      /** For logs only. */
      readonly operatorDetail: string;
    };

export interface PushClientOptions {
  readonly policy: NetworkPolicy;
  /** `User-Agent`: product and version. */
  readonly userAgent: string;
  /** Allowed ports of public endpoints. @default [443] */
  readonly allowedPorts?: readonly number[];
  /**
   * Called for every attempt.
   * @default the machine's name servers; with opened ranges the operating system's resolver, which reads `/etc/hosts`
   */
  readonly resolver?: Resolver;
  readonly deadlines?: Partial<PushDeadlines>;
  readonly caps?: Partial<PushCaps>;
  /** PEM certificates of certificate authorities to trust in addition to the well-known ones. */
  readonly ca?: readonly string[];
  /** Maximum idle connections per origin. @default 16 */
  readonly connectionsPerOrigin?: number;
  /** Maximum idle connections in total. @default 256 */
  readonly connectionsInAll?: number;
  /**
   * Maximum time to keep an idle connection, in milliseconds. Shorter where the receiver announces a timeout
   * (`Keep-Alive: timeout=`) or was seen to close earlier.
   * @default 4000
   */
  readonly keepAliveMs?: number;
  /**
   * Bodies above this size wait for an early response, unless the endpoint accepted the last such body. @default 65536
   */
  readonly earlyAnswerThresholdBytes?: number;
  /**
   * How long to wait for an early response after the head of a large request.
   * @default max(250, 3 × connect time)
   */
  readonly earlyAnswerWaitMs?: number;
  /** Milliseconds since 1970, for the date form of `Retry-After`. */
  readonly now?: () => number;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow?: () => number;
}
