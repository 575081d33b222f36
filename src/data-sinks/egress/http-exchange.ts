import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

import type { AnswerEnding } from '../core/attempt.js';
import { Deadline } from './deadline.js';
import { deferred } from './deferred.js';
import { codeOf, ExchangeFailure, failureOfExchange } from './exchange-failure.js';
import type { Connection } from './idle-connections.js';
import type { PushBody, PushCaps, PushDeadlines } from './push-exchange.js';
import { pieces, readWhole } from './upload.js';

export interface HttpRequest {
  readonly path: string;
  /** Names and values in turn. */
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

/** A final answer. */
export interface HttpAnswer {
  readonly httpStatus: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly ending: AnswerEnding;
}

/** What undici says before anything is sent: the receiver had no part in it. */
const OUR_MISTAKES = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/**
 * One request on one connection. Whatever the receiver does, it ends: with an answer, by the deadline of the phase it is
 * in, or by a cap. The connection is destroyed unless the answer came whole.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  /** Set once the body was handed to the connection. */
  uploadMs: number | null = null;
  /** From there, or from the start when the receiver did not wait for the end, to the head of the answer. */
  waitMs: number | null = null;

  readonly #deadline = new Deadline();
  readonly #settled = deferred<HttpAnswer>();
  /** Resolves on the head of a final answer, and at the end at the latest. */
  readonly #answering = deferred<void>();
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
    // It may be cancelled while its body is being read, before anybody awaits the end.
    this.#settled.promise.catch(() => undefined);
  }

  /** @throws ExchangeFailure when there was no answer, or the body's own error when it could not be read */
  async run(): Promise<HttpAnswer> {
    const { body } = this.request;
    const small = body.bytes <= this.options.earlyAnswerThresholdBytes;
    const whole = small ? await readWhole(body) : null;
    if (this.#over) return this.#settled.promise;
    this.#startedAt = this.options.monotonicNow();
    const headers = [...this.request.headers, 'content-length', String(body.bytes)];
    this.connection.answerReader.expectAnswer((what) => this.#exceeded(what));
    // undici takes any async iterable; its types know only of streams, which would read ahead.
    const bytes = whole ?? (this.#upload() as unknown as Readable);
    this.connection.client.dispatch({ method: 'POST', path: this.request.path, headers, body: bytes }, this);
    if (whole) this.#uploaded();
    return this.#settled.promise;
  }

  /** Ends the exchange from outside; `run()` rejects with the reason. */
  cancel(reason: unknown): void {
    this.#end(() => this.#settled.reject(reason), false);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Of interim answers only one with an oversized head gets here.
    if (this.#over || status < 200) return;
    this.#head = { status, headers: headerPairs(controller.rawHeaders) };
    const uploaded = this.uploadMs !== null;
    this.waitMs = this.options.monotonicNow() - this.#startedAt - (this.uploadMs ?? 0);
    this.#answering.resolve();
    // Whoever says 2xx before the end still wants the body; undici would stop the upload at the answer's end.
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
   * The body of a large request. Its first byte takes the head along; then the receiver has a moment to refuse, unless
   * the wait is 0. Bytes that are under way when it refuses and closes break the connection, answer and all, where the
   * failed write is noticed before the answer is read.
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
    // undici cannot take a final answer before the body's end is written: stay until the answer was read.
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
      // After undici has noted the end of the body.
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

  /** Padding that is no part of the body ends an answer as too much body would. */
  #exceeded(what: string): void {
    if (this.#head) this.#answer('cap');
    else this.#fail(new ExchangeFailure('invalid_http_response', what));
  }

  #answer(ending: AnswerEnding): void {
    const head = this.#head;
    if (!head) return;
    const answer = { httpStatus: head.status, headers: head.headers, body: Buffer.concat(this.#chunks), ending };
    this.#end(() => this.#settled.resolve(answer), ending === 'complete');
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
