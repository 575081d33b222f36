import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { MemorySeenDeliveries } from '../memory-seen-deliveries.js';
import type { ListenOptions } from './listen-options.js';
import type { ListenRecord } from './listen-record.js';
import { PushExamination } from './push-examination.js';

/** The local receiver behind `data-sinks listen`. */
export class PushListener {
  readonly #server: Server;
  readonly #stopping = new AbortController();
  readonly #seen = new MemorySeenDeliveries();
  #requests = 0;
  #answered = 0;

  constructor(
    private readonly options: ListenOptions,
    private readonly report: (record: ListenRecord) => void,
    fail: (error: unknown) => void,
  ) {
    this.#server = createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        // Whatever the request was, the listener continues and the sender gets a response.
        response.destroy();
        fail(error);
      });
    });
    // A large push may take long; the sender has its own deadlines.
    this.#server.requestTimeout = 0;
  }

  /** @returns the port */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.options.port, this.options.host, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : this.options.port);
      });
    });
  }

  /** Closes every connection, even a busy one. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The ping that the platform sends when a data source is saved.
    if (request.method === 'OPTIONS') return void response.writeHead(204, { Allow: 'POST' }).end();
    const number = ++this.#requests;
    const began = Date.now();
    const examination = new PushExamination(request.headers, this.options);
    let whole = true;
    try {
      for await (const chunk of request) await examination.update(chunk as Buffer);
    } catch {
      whole = false;
    }
    const findings = await examination.finish(whole);
    const deliveryId = firstOf(request.headers, 'x-mt-delivery-id') ?? firstOf(request.headers, 'webhook-id');
    const attempt = firstOf(request.headers, 'x-mt-attempt');
    if (whole && this.options.slowMs > 0) await this.#slowDown(response);
    const repeated = deliveryId !== null && (await this.#seen.claim(deliveryId)) === 'done';
    const status = whole && !response.destroyed ? this.#answer(request, response, findings) : null;
    if (deliveryId !== null && status !== null && status < 300) await this.#seen.complete(deliveryId);
    this.report({
      request: number,
      receivedAt: new Date(began).toISOString(),
      durationMs: Date.now() - began,
      method: request.method ?? '',
      path: request.url ?? '',
      deliveryId,
      attempt: attempt !== null && /^\d{1,9}$/.test(attempt) ? Number(attempt) : null,
      status,
      ...findings,
      repeated,
      headers: shownHeaders(request.headers),
    });
  }

  /** Ends early when the listener stops or the sender disconnects. */
  async #slowDown(response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
    await wait(this.options.slowMs, undefined, { signal }).catch(() => undefined);
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    findings: Pick<ListenRecord, 'signatureValid' | 'problems' | 'payloadError' | 'rows'>,
  ): number {
    const status = request.method === 'POST' ? this.#statusFor(findings) : 405;
    const body = JSON.stringify(
      status < 300
        ? { received: true, rows: findings.rows }
        : { status, problems: findings.problems, payloadError: findings.payloadError },
    );
    const headers = { 'Content-Type': 'application/json', ...(status === 405 ? { Allow: 'POST' } : {}) };
    response.writeHead(status, headers).end(status === 204 || status === 304 ? undefined : body);
    return status;
  }

  /** The next status of the plan; a bad push is not answered with a planned 2xx. */
  #statusFor({ signatureValid, payloadError }: Pick<ListenRecord, 'signatureValid' | 'payloadError'>): number {
    const { statuses } = this.options;
    const planned = statuses[Math.min(this.#answered++, statuses.length - 1)] ?? 200;
    if (planned >= 300) return planned;
    if (signatureValid === false) return 401;
    return payloadError === null ? planned : 400;
  }
}

function firstOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function shownHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(', ') : (value ?? '');
      return [name, name === 'authorization' ? `${text.split(' ')[0] ?? ''} ****` : text];
    }),
  );
}
