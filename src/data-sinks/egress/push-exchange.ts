import type { AnswerEnding, AttemptTimings } from '../core/attempt.js';
import type { ExchangeResult } from '../core/attempt-outcome.js';
import type { CancelSignal } from '../core/cancellation.js';
import type { CustomHeader } from '../core/custom-headers.js';
import type { NetworkPolicy } from '../core/network-policy.js';
import type { Resolver } from './resolver.js';

/** The body's bytes: read anew for every attempt, the same each time. */
export interface PushBody {
  readonly bytes: number;
  /** A fresh stream over exactly `bytes` bytes each time it is called. */
  open(): AsyncIterable<Uint8Array>;
  /** Set when the body is small and in memory. */
  readonly whole: Uint8Array | null;
}

export interface PushRequest {
  /** As stored with the sink. Parsed and judged anew. */
  readonly url: string;
  /** Ours: content type, signatures, authorization, ids. They win over custom headers of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly customHeaders: readonly CustomHeader[];
  readonly body: PushBody;
  /** Makes `post()` reject with the signal's reason, so that the delivery can be handed back. */
  readonly signal?: CancelSignal;
}

export interface PushAnswer {
  readonly httpStatus: number;
  /** As received, in order; at most 16 KB in all. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first 16 KB of the body as text. Whoever shows it escapes it. */
  readonly excerpt: string;
  readonly ending: AnswerEnding;
}

/** What came of one POST. */
export interface PushExchange {
  readonly result: ExchangeResult;
  readonly timings: AttemptTimings;
  /** Null when there was no answer. */
  readonly answer: PushAnswer | null;
  /** Null when nothing was connected to. */
  readonly remoteAddress: string | null;
  /** For logs only: it may name addresses, which a tenant must not learn. */
  readonly operatorDetail: string | null;
}

/** One deadline for each phase, in milliseconds: a single total would kill slow but healthy uploads. */
export interface PushDeadlines {
  /** @default 5000 */
  readonly dnsMs: number;
  /** TCP, over all addresses. @default 10000 */
  readonly connectMs: number;
  /** TLS handshake. @default 10000 */
  readonly tlsMs: number;
  /** For the receiver to take one more piece of at most 64 KB. @default 30000 */
  readonly uploadIdleMs: number;
  /** From the upload's end to the whole head of the final answer. @default 30000 */
  readonly responseHeadersMs: number;
  /** From there to the end of the answer's body. @default 10000 */
  readonly responseBodyMs: number;
}

export interface PushCaps {
  /** What is read of an answer's body before the connection is destroyed. @default 16384 */
  readonly answerBytes: number;
  /** An answer with a longer head is no answer. @default 16384 */
  readonly answerHeaderBytes: number;
}

/** What is known of an endpoint before anything is sent to it. */
export type EndpointVerdict =
  | { readonly kind: 'fine' }
  /**
   * - `address_refused`: an address of it is
   * - `url_refused`: its URL is fine only in ranges that the operator opened, and it lies outside
   * - `unresolved`: nobody knows now
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
  /** Ports that a public endpoint may use. @default [443] */
  readonly allowedPorts?: readonly number[];
  /**
   * Asked at every attempt.
   * @default the machine's name servers; with opened ranges the operating system's resolver, which reads `/etc/hosts`
   */
  readonly resolver?: Resolver;
  readonly deadlines?: Partial<PushDeadlines>;
  readonly caps?: Partial<PushCaps>;
  /** PEM certificates of authorities that are trusted beside the well-known ones. */
  readonly ca?: readonly string[];
  /** Idle connections that are kept for one origin. @default 16 */
  readonly connectionsPerOrigin?: number;
  /** Idle connections that are kept in all. @default 256 */
  readonly connectionsInAll?: number;
  /** How long an idle connection is kept: shorter than servers do, whose closing would meet a push. @default 4000 */
  readonly keepAliveMs?: number;
  /** Bodies over this size wait for an early answer, unless the endpoint took the last such one. @default 65536 */
  readonly earlyAnswerThresholdBytes?: number;
  /**
   * How long to wait for an answer after the head of a large request.
   * @default max(250, 3 × the time that connecting took)
   */
  readonly earlyAnswerWaitMs?: number;
  /** Milliseconds since 1970, for the date form of `Retry-After`. */
  readonly now?: () => number;
  /** A clock that never steps back, in milliseconds. */
  readonly monotonicNow?: () => number;
}
