import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PUSH_CLIENT_OPTIONS } from '../data-sinks.tokens.js';
import type { AttemptTimings } from '../domain/attempt.js';
import { parseRetryAfterMs } from '../domain/retry-schedule.js';
import { credentialMask } from '../domain/credential-mask.js';
import { type EndpointUrl, type EndpointUrlResult, parseEndpointUrl } from '../domain/endpoint-url.js';
import { printableExcerpt } from '../domain/redact.js';
import { inOwnContext } from '../tools/own-context.js';
import { AddressGuard } from './address-guard.js';
import { type Acquired, ConnectionPool } from './connection-pool.js';
import { onAbort } from './deadline.js';
import { EarlyAnswerWaits } from './early-answer-waits.js';
import { ExchangeFailure } from './exchange-failure.js';
import { GuardedConnector } from './guarded-connector.js';
import { HttpExchange, type HttpAnswer } from './http-exchange.js';
import { requestHeaders, type ResolvedPushOptions, resolvePushOptions } from './push-defaults.js';
import type { EndpointVerdict, PushClientOptions, PushExchange, PushRequest } from './push-exchange.js';

/** Collected facts about an attempt, which may end at any step. */
interface Progress {
  readonly startedAt: number;
  remoteAddress: string | null;
  dnsMs: number | null;
  connectMs: number | null;
  tlsMs: number | null;
  exchange: HttpExchange | null;
}

/**
 * Posts a body to a customer's endpoint: checked addresses, a deadline for every phase, a capped response, no
 * redirects, no proxy. Used by deliveries and by the Test.
 */
@Injectable()
export class PushClient {
  readonly #options: ResolvedPushOptions;
  readonly #guard: AddressGuard;
  readonly #connections: ConnectionPool;
  readonly #earlyAnswerWaits: EarlyAnswerWaits;
  readonly #active = new Set<Promise<PushExchange>>();
  /** Parsed URLs are cached; names are resolved again for every attempt. */
  readonly #endpoints: LRUCache<string, EndpointUrlResult>;
  #closed = false;

  constructor(@Inject(PUSH_CLIENT_OPTIONS) options: PushClientOptions) {
    this.#options = resolvePushOptions(options);
    const { policy, resolver, deadlines, ca, monotonicNow, allowedPorts } = this.#options;
    const memoMethod = (text: string): EndpointUrlResult => parseEndpointUrl(text, policy, { allowedPorts });
    this.#endpoints = new LRUCache({ max: 1_000, memoMethod });
    this.#guard = new AddressGuard(policy, resolver, deadlines.dnsMs, monotonicNow);
    const connector = new GuardedConnector({ ...deadlines, guard: this.#guard, ca, monotonicNow });
    this.#connections = new ConnectionPool(connector, this.#options);
    this.#earlyAnswerWaits = new EarlyAnswerWaits(this.#options.earlyAnswerWaitMs);
  }

  /** Headers that identify the sender. */
  get userAgent(): string {
    return this.#options.userAgent;
  }

  /**
   * Makes one attempt. Whatever the receiver or the network does is returned as a value. Runs outside the caller's async
   * context, also when a request starts it (a Test).
   * @throws the signal's reason when it aborts, the body's error when it cannot be read, a system error when this
   *   process has run out of a resource: none of these counts as an attempt
   */
  async post(request: PushRequest): Promise<PushExchange> {
    if (this.#closed) throw new Error('the push client is closed');
    const running = inOwnContext(() => this.#post(request));
    this.#active.add(running);
    try {
      return await running;
    } finally {
      this.#active.delete(running);
    }
  }

  /**
   * Checks an endpoint as an attempt would, including every address of its name, and sends nothing.
   * @throws a system error when this process has run out of a resource
   */
  async judge(text: string): Promise<EndpointVerdict> {
    try {
      await this.#guard.vet(this.#parse(text));
      return { kind: 'fine' };
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      const { code, operatorDetail } = error;
      return code === 'address_refused' || code === 'url_refused'
        ? { kind: code, operatorDetail }
        : { kind: 'unresolved', operatorDetail };
    }
  }

  /** Refuses new posts, waits for those in flight and closes every connection. Abort their signals to speed this up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#connections.close();
    await Promise.allSettled(this.#active);
  }

  async #post(request: PushRequest): Promise<PushExchange> {
    request.signal?.throwIfAborted();
    const startedAt = this.#options.monotonicNow();
    const progress: Progress = {
      startedAt,
      remoteAddress: null,
      dnsMs: null,
      connectMs: null,
      tlsMs: null,
      exchange: null,
    };
    try {
      const url = this.#parse(request.url);
      return this.#answered(await this.#send(url, request, progress), request, progress);
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      return {
        result: { kind: 'failed', errorCode: error.code },
        timings: this.#timings(progress),
        answer: null,
        remoteAddress: progress.remoteAddress,
        operatorDetail: error.operatorDetail,
      };
    }
  }

  #parse(text: string): EndpointUrl {
    const parsed = this.#endpoints.memo(text);
    if (parsed.ok) return parsed.url;
    const code = parsed.code === 'address_refused' ? 'address_refused' : 'url_refused';
    throw new ExchangeFailure(code, `${parsed.code}: ${parsed.operatorDetail ?? parsed.detail}`);
  }

  /** Replaces a connection that turns out to be closed before anything was sent: the receiver has seen nothing. */
  async #send(url: EndpointUrl, request: PushRequest, progress: Progress): Promise<HttpAnswer> {
    const vetted = await this.#guard.vet(url, request.signal);
    if (!url.isIpLiteral) progress.dnsMs = this.#options.monotonicNow() - progress.startedAt;
    const acquire = async (fresh: boolean): Promise<Acquired> => {
      const acquired = await this.#connections.acquire(url, vetted, fresh, request.signal);
      const { connection, connectMs, tlsMs } = acquired;
      Object.assign(progress, { remoteAddress: connection.remoteAddress, connectMs, tlsMs });
      return acquired;
    };
    const first = await acquire(request.freshConnection ?? false);
    try {
      return await this.#exchange(url, first, request, progress);
    } catch (error) {
      if (!wasNeverOpen(error, progress.exchange)) throw error;
      return this.#exchange(url, await acquire(true), request, progress);
    }
  }

  async #exchange(
    url: EndpointUrl,
    { connection, idleMs }: Acquired,
    request: PushRequest,
    progress: Progress,
  ): Promise<HttpAnswer> {
    const { userAgent, earlyAnswerThresholdBytes } = this.#options;
    const waits = request.awaitsEarlyAnswer ?? true;
    const exchange = new HttpExchange(
      connection,
      {
        method: request.method ?? 'POST',
        path: url.target,
        headers: requestHeaders(request, userAgent),
        body: request.body,
      },
      { ...this.#options, earlyAnswerWaitMs: waits ? this.#earlyAnswerWaits.before(url.href, progress.connectMs) : 0 },
    );
    let took = false;
    progress.exchange = exchange;
    const offAbort = onAbort(request.signal, (reason) => exchange.cancel(reason));
    try {
      const answer = await exchange.run();
      took = exchange.uploadMs !== null && answer.httpStatus < 300;
      this.#connections.release(url.origin, connection, answer.headers);
      return answer;
    } catch (error) {
      connection.socket.destroy();
      if (idleMs === null || connection.answerReader.hasBegun || !endedConnection(error)) throw error;
      this.#connections.wasClosed(url.origin, idleMs);
      throw new ExchangeFailure(
        'stale_connection',
        `idle for ${Math.round(idleMs)} ms before: ${error.operatorDetail}`,
      );
    } finally {
      offAbort();
      if (waits && request.body.bytes > earlyAnswerThresholdBytes) this.#earlyAnswerWaits.after(url.href, took);
    }
  }

  #answered({ httpStatus, headers, body, ending }: HttpAnswer, request: PushRequest, progress: Progress): PushExchange {
    const shown = credentialMask(request.headers['Authorization']);
    const retryAfter = headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1];
    return {
      result: { kind: 'answered', httpStatus, retryAfterMs: parseRetryAfterMs(retryAfter, this.#options.now()) },
      timings: this.#timings(progress),
      answer: {
        httpStatus,
        headers: headers.map(([name, value]) => [name, shown(value)] as const),
        excerpt: shown(printableExcerpt(body), ending !== 'complete'),
        ending,
      },
      remoteAddress: progress.remoteAddress,
      operatorDetail: null,
    };
  }

  #timings({ startedAt, dnsMs, connectMs, tlsMs, exchange }: Progress): AttemptTimings {
    return {
      dnsMs: round(dnsMs),
      connectMs: round(connectMs),
      tlsMs: round(tlsMs),
      uploadMs: round(exchange?.uploadMs ?? null),
      waitMs: round(exchange?.waitMs ?? null),
      totalMs: Math.round(this.#options.monotonicNow() - startedAt),
    };
  }
}

/** Whether the connection itself failed, rather than one of our deadlines. */
function endedConnection(error: unknown): error is ExchangeFailure {
  return error instanceof ExchangeFailure && error.code !== 'response_timeout' && error.code !== 'upload_stalled';
}

/** Whether the connection was closed before the exchange began: nothing was sent, so nothing is recorded. */
function wasNeverOpen(error: unknown, exchange: HttpExchange | null): boolean {
  return error instanceof ExchangeFailure && error.code === 'stale_connection' && exchange?.hasBegun === false;
}

function round(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}
