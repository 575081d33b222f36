import type { Socket } from 'node:net';
import { Client } from 'undici';

import type { CancelSignal } from '../core/cancellation.js';
import type { AttemptTimings } from '../core/attempt.js';
import { parseRetryAfterMs } from '../core/backoff-schedule.js';
import { credentialMask } from '../core/credential-mask.js';
import { type EndpointUrl, type EndpointUrlResult, parseEndpointUrl } from '../core/endpoint-url.js';
import { memo } from '../core/memo.js';
import { printableExcerpt } from '../core/redact.js';
import { AddressGuard } from './address-guard.js';
import { AnswerReader, maxAnswerBytes } from './answer-reader.js';
import { onAbort } from './deadline.js';
import { EarlyAnswerWaits } from './early-answer-waits.js';
import { ExchangeFailure } from './exchange-failure.js';
import { GuardedConnector } from './guarded-connector.js';
import { HttpExchange, type HttpAnswer } from './http-exchange.js';
import { type Connection, IdleConnections } from './idle-connections.js';
import { requestHeaders, type ResolvedPushOptions, resolvePushOptions } from './push-defaults.js';
import type { EndpointVerdict, PushClientOptions, PushExchange, PushRequest } from './push-exchange.js';

/** What was found out so far, for the record of an attempt that may end at any step. */
interface Progress {
  readonly startedAt: number;
  remoteAddress: string | null;
  dnsMs: number | null;
  connectMs: number | null;
  tlsMs: number | null;
  exchange: HttpExchange | null;
}

/**
 * Posts a body to a customer's endpoint: judged address, deadlines for every phase, a capped answer, no redirect, no
 * proxy. Used by deliveries and by the Test button alike.
 */
export class PushClient {
  readonly #options: ResolvedPushOptions;
  readonly #guard: AddressGuard;
  readonly #connector: GuardedConnector;
  readonly #idle: IdleConnections;
  readonly #earlyAnswerWaits: EarlyAnswerWaits;
  readonly #active = new Set<Promise<PushExchange>>();
  /** What a text means is the same at every attempt; where its name leads is not, and is asked each time. */
  readonly #read: (text: string) => EndpointUrlResult;
  #closed = false;

  constructor(options: PushClientOptions) {
    this.#options = resolvePushOptions(options);
    const { policy, resolver, deadlines, ca, connectionsPerOrigin, connectionsInAll, monotonicNow } = this.#options;
    const { allowedPorts } = this.#options;
    this.#read = memo((text) => parseEndpointUrl(text, policy, { allowedPorts }));
    this.#guard = new AddressGuard(policy, resolver, deadlines.dnsMs, monotonicNow);
    this.#connector = new GuardedConnector({ ...deadlines, guard: this.#guard, ca, monotonicNow });
    this.#idle = new IdleConnections({ perOrigin: connectionsPerOrigin, inAll: connectionsInAll });
    this.#earlyAnswerWaits = new EarlyAnswerWaits(this.#options.earlyAnswerWaitMs);
  }

  /** What every request says of who sends it. */
  get userAgent(): string {
    return this.#options.userAgent;
  }

  /**
   * Makes one attempt. Everything that the receiver or the network can do comes back as a value.
   * @throws the signal's reason when it aborts, the body's error when it cannot be read, a system error when this
   *   process has run out of something: none of these is the customer's attempt
   */
  async post(request: PushRequest): Promise<PushExchange> {
    if (this.#closed) throw new Error('the push client is closed');
    const running = this.#post(request);
    this.#active.add(running);
    try {
      return await running;
    } finally {
      this.#active.delete(running);
    }
  }

  /**
   * Judges an endpoint as an attempt would, every address of its name, and sends nothing.
   * @throws a system error when this process has run out of something
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

  /** Takes no more posts, waits for those under way and closes every connection. Abort their signals to hurry them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#idle.closeAll();
    await Promise.allSettled(this.#active);
    this.#idle.closeAll();
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
      const connection = await this.#acquire(url, request.signal, progress);
      const answer = await this.#exchange(url, connection, request, progress);
      return this.#answered(answer, request, progress);
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
    const parsed = this.#read(text);
    if (parsed.ok) return parsed.url;
    const code = parsed.code === 'address_refused' ? 'address_refused' : 'url_refused';
    throw new ExchangeFailure(code, `${parsed.code}: ${parsed.operatorDetail ?? parsed.detail}`);
  }

  async #acquire(url: EndpointUrl, signal: CancelSignal | undefined, progress: Progress): Promise<Connection> {
    const vetted = await this.#guard.vet(url, signal);
    if (!url.isIpLiteral) progress.dnsMs = this.#options.monotonicNow() - progress.startedAt;
    const idle = this.#idle.take(url.origin, vetted);
    if (idle) {
      progress.remoteAddress = idle.remoteAddress;
      return idle;
    }
    const { socket, remoteAddress, connectMs, tlsMs } = await this.#connector.connect(url, vetted, signal);
    Object.assign(progress, { remoteAddress, connectMs, tlsMs });
    const { caps, keepAliveMs } = this.#options;
    const client = clientOn(socket, url.origin, caps.answerHeaderBytes, keepAliveMs);
    const answerReader = new AnswerReader(socket, maxAnswerBytes(caps));
    const connection = { client, socket, remoteAddress, answerReader };
    socket.once('close', () => this.#idle.forget(connection));
    return connection;
  }

  async #exchange(
    url: EndpointUrl,
    connection: Connection,
    request: PushRequest,
    progress: Progress,
  ): Promise<HttpAnswer> {
    const { userAgent, earlyAnswerThresholdBytes } = this.#options;
    const exchange = new HttpExchange(
      connection,
      { path: url.target, headers: requestHeaders(request, userAgent), body: request.body },
      { ...this.#options, earlyAnswerWaitMs: this.#earlyAnswerWaits.before(url.href, progress.connectMs) },
    );
    let took = false;
    progress.exchange = exchange;
    const offAbort = onAbort(request.signal, (reason) => exchange.cancel(reason));
    try {
      const answer = await exchange.run();
      took = exchange.uploadMs !== null && answer.httpStatus < 300;
      if (!connection.socket.destroyed && !this.#closed) this.#idle.put(url.origin, connection);
      else connection.socket.destroy();
      return answer;
    } catch (error) {
      connection.socket.destroy();
      throw error;
    } finally {
      offAbort();
      if (request.body.bytes > earlyAnswerThresholdBytes) this.#earlyAnswerWaits.after(url.href, took);
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

/** undici speaks HTTP; connecting is ours, so that it never opens a connection that was not vetted. */
function clientOn(socket: Socket, origin: string, maxHeaderSize: number, keepAliveMs: number): Client {
  return new Client(origin, {
    connect: (_options, callback) => {
      // Not at once: undici asks from inside its loop, and does not look again when answered there.
      queueMicrotask(() => {
        if (!socket.destroyed) callback(null, socket);
        else callback(Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' }), null);
      });
    },
    pipelining: 1,
    allowH2: false,
    maxHeaderSize,
    // Our deadlines count each phase from where it begins; undici's would kill uploads under back-pressure.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
  });
}

function round(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}
