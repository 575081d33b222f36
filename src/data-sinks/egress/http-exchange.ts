import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

import type { AnswerEnding } from '../domain/attempt.js';
import { Deadline } from './deadline.js';
import { promiseWithResolvers } from './promise-with-resolvers.js';
import { codeOf, ExchangeFailure, failureOfExchange } from './exchange-failure.js';
import type { Connection } from './idle-connections.js';
import type { PushBody, PushCaps, PushDeadlines, PushRequest } from './push-exchange.js';
import { dispatchOnlyOurs } from './only-our-headers.js';
import { pieces, readWhole } from './upload.js';

export interface HttpRequest {
  readonly method: NonNullable<PushRequest['method']>;
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  readonly body: PushBody;
}

export interface HttpExchangeOptions {
  readonly deadlines: PushDeadlines;
  readonly caps: PushCaps;
  readonly earlyAnswerThresholdBytes: number;
  readonly earlyAnswerWaitMs: number;
  readonly monotonicNow: () => number;
}

/** A final (non-1xx) response. */
export interface HttpAnswer {
  readonly httpStatus: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly ending: AnswerEnding;
}

/** Requests that say nothing of a length; with one, some stores wait for a body. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);

/** What undici says before anything is sent: the receiver had no part in it. */
const OUR_MISTAKES = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/**
 * One request on one connection. It always ends: by a response, by the deadline of the current phase, or by a cap. The
 * connection is destroyed unless the response was complete.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  /** Set when the whole body has been passed to the connection. */
  uploadMs: number | null = null;
  /** From the end of the upload to the response's head; from the start if the receiver responds earlier. */
  waitMs: number | null = null;

  readonly #deadline = new Deadline();
  readonly #settled = promiseWithResolvers<HttpAnswer>();
  /** Resolves on the head of a final response, or when the exchange ends. */
  readonly #answering = promiseWithResolvers<void>();
  readonly #chunks: Uint8Array[] = [];
  #startedAt = 0;
  #over = false;
  #bytes = 0;
  #head: { readonly status: number; readonly headers: HttpAnswer['headers'] } | null = null;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly request: HttpRequest,
    private readonly options: HttpExchangeOptions,
  ) {
    // The exchange may be cancelled before anyone awaits this promise.
    this.#settled.promise.catch(() => undefined);
  }

  /** Whether any bytes may have been sent: undici has started to write. */
  get hasBegun(): boolean {
    return this.#controller !== null;
  }

  /** @throws ExchangeFailure when there was no response, or the body's own error when it could not be read */
  async run(): Promise<HttpAnswer> {
    const { body } = this.request;
    const small = body.bytes <= this.options.earlyAnswerThresholdBytes;
    const whole = small ? await readWhole(body) : null;
    if (this.#over) return this.#settled.promise;
    this.#startedAt = this.options.monotonicNow();
    const { method, path } = this.request;
    const length = BODILESS.has(method) ? [] : ['content-length', String(body.bytes)];
    const headers = [...this.request.headers, ...length];
    this.connection.answerReader.expectAnswer((what) => this.#exceeded(what));
    // undici accepts any async iterable, but its types only allow streams, which would read ahead.
    const bytes = whole ?? (this.#upload() as unknown as Readable);
    dispatchOnlyOurs(this.connection.client, { method, path, headers, body: bytes }, this);
    if (whole) this.#uploaded();
    return this.#settled.promise;
  }

  /** Cancels the exchange; `run()` rejects with the reason. */
  cancel(reason: unknown): void {
    this.#end(() => this.#settled.reject(reason), false);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Only interim responses with an oversized head get here; the others were dropped.
    if (this.#over || status < 200) return;
    this.#head = { status, headers: headerPairs(controller.rawHeaders) };
    const uploaded = this.uploadMs !== null;
    this.waitMs = this.options.monotonicNow() - this.#startedAt - (this.uploadMs ?? 0);
    this.#answering.resolve();
    // A receiver may send 2xx before it has read the body; undici would stop the upload at the response's end.
    if (!uploaded && status < 300) controller.pause();
    else this.#awaitAnswerBody();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    const room = this.options.caps.answerBytes - this.#bytes;
    if (chunk.length > room) {
      this.#chunks.push(chunk.subarray(0, room));
      this.#answer('cap');
      return;
    }
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#answer('complete');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#head) {
      this.#answer('cut');
      return;
    }
    if (OUR_MISTAKES.has(codeOf(error))) {
      this.cancel(error);
      return;
    }
    this.#fail(failureOfExchange(error, this.uploadMs !== null, this.connection.socket.readableEnded));
  }

  /**
   * The body of a large request. Its first byte is sent with the head; then we wait a moment for an early refusal,
   * unless the wait is 0. If the receiver refuses and closes while bytes are in flight, the failed write may be noticed
   * first and the response would be lost.
   */
  async *#upload(): AsyncGenerator<Uint8Array, void> {
    const { deadlines, earlyAnswerWaitMs } = this.options;
    let first = true;
    try {
      for await (const piece of pieces(this.request.body)) {
        if (this.#refused()) break;
        this.#deadline.arm(deadlines.uploadIdleMs, () => this.#expire('upload_stalled', deadlines.uploadIdleMs));
        yield piece;
        this.#deadline.clear();
        if (first && earlyAnswerWaitMs > 0) await this.#answerWithin(earlyAnswerWaitMs);
        first = false;
      }
    } catch (error) {
      this.#end(() => this.#settled.reject(error), false);
      return;
    }
    // undici cannot accept a final response before the body has ended, so wait until the response was read.
    if (this.#refused()) await this.#settled.promise.catch(() => undefined);
    else this.#uploaded();
  }

  #refused(): boolean {
    return this.#over || (this.#head !== null && this.#head.status >= 300);
  }

  #answerWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      void this.#answering.promise.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #uploaded(): void {
    if (this.#over) return;
    this.uploadMs = this.options.monotonicNow() - this.#startedAt;
    if (this.#head) {
      this.#awaitAnswerBody();
      // Runs after undici has noted the end of the body.
      setImmediate(() => this.#controller?.resume());
      return;
    }
    const { responseHeadersMs } = this.options.deadlines;
    this.#deadline.arm(responseHeadersMs, () => this.#expire('response_timeout', responseHeadersMs));
  }

  #awaitAnswerBody(): void {
    this.#deadline.arm(this.options.deadlines.responseBodyMs, () => this.#answer('deadline'));
  }

  #expire(code: 'upload_stalled' | 'response_timeout', ms: number): void {
    if (this.#head) this.#answer('deadline');
    else this.#fail(new ExchangeFailure(code, `nothing happened for ${ms} ms`));
  }

  /** Framing padding beyond the cap ends a response just as an oversized body does. */
  #exceeded(what: string): void {
    if (this.#head) this.#answer('cap');
    else this.#fail(new ExchangeFailure('invalid_http_response', what));
  }

  #answer(ending: AnswerEnding): void {
    const head = this.#head;
    if (!head) return;
    const answer = { httpStatus: head.status, headers: head.headers, body: Buffer.concat(this.#chunks), ending };
    const reusable = ending === 'complete' && !this.connection.answerReader.isIrregular;
    this.#end(() => this.#settled.resolve(answer), reusable);
  }

  #fail(failure: ExchangeFailure): void {
    this.#end(() => this.#settled.reject(failure), false);
  }

  #end(settle: () => void, reusable: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline.clear();
    this.connection.answerReader.expectNothing();
    settle();
    this.#answering.resolve();
    if (!reusable) this.connection.socket.destroy();
  }
}

function headerPairs(raw: Dispatcher.DispatchController['rawHeaders']): HttpAnswer['headers'] {
  const list: readonly (Buffer | string)[] = Array.isArray(raw) ? raw : [];
  const texts = list.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
  return Array.from({ length: texts.length >> 1 }, (_, i) => [texts[2 * i] ?? '', texts[2 * i + 1] ?? ''] as const);
}
