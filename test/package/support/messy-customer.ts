import { ask, type Asked, type RawAnswer, told } from '../../support/guest/ask.js';
import { sinkBody } from '../../support/platform/customer.js';
import type { Endpoint, ReceivedRequest } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';

export const SECRET = 'a-secret-of-at-least-32-characters';

type Json = Readonly<Record<string, unknown>>;

/** A host under its own addresses, and how its customer's jobs finish there. */
export interface MessyHost {
  /** Of the API, such as `http://127.0.0.1:40021/backend/v2`. */
  readonly api: string;
  finish(job: { readonly jobId: string; readonly agentId: string; readonly rows: number }): Promise<void>;
  /** Erases the stored bodies of a job. */
  erase(jobId: string): void;
}

/** One of the host's customers, who notes each answer: without what differs from call to call. */
export class MessyCustomer {
  readonly notes: (readonly [asked: string, told: unknown])[] = [];
  readonly #endpoints: Endpoint[] = [];

  constructor(
    readonly host: MessyHost,
    readonly agent: string,
    readonly token = 'mt_all',
  ) {}

  as(token: string): MessyCustomer {
    return new MessyCustomer(this.host, this.agent, token);
  }

  get sinks(): string {
    return `/agents/${this.agent}/data-sources`;
  }

  ask({ path, headers, ...asked }: Asked): Promise<RawAnswer> {
    return ask(this.host.api, { ...asked, path, headers: { Authorization: `Bearer ${this.token}`, ...headers } });
  }

  async noted(asked: Asked): Promise<RawAnswer> {
    const answer = await this.ask(asked);
    const { method = 'GET', path } = asked;
    // The host's own middleware adds to it.
    const { vary, 'content-length': length, ...headers } = answer.headers;
    const ours = (vary ?? '').split(', ').filter((name) => name === 'Accept');
    // Of a body that has numbers of milliseconds, the length says nothing but itself.
    const isWhole = method === 'HEAD' || Number(length ?? 0) === answer.bytes.length;
    const noted = { ours, isWhole, answer: told({ ...answer, headers }) };
    this.notes.push([this.#plain(`${method} ${path}`), JSON.parse(this.#plain(JSON.stringify(noted))) as unknown]);
    return answer;
  }

  post(path: string, body: Json = {}): Asked {
    return { method: 'POST', path, body: JSON.stringify(body) };
  }

  /** @param config over the least of it */
  sinkAt(endpoint: Endpoint, config: Json = {}): Asked {
    this.#endpoints.push(endpoint);
    const body = { secret: { value: SECRET }, config: { url: endpoint.url, authScheme: 'HmacSha256', ...config } };
    return this.post(this.sinks, sinkBody(endpoint.url, body));
  }

  /** @returns the sink's path */
  async made(endpoint: Endpoint, config: Json = {}): Promise<string> {
    return `${this.sinks}/${idOf(await this.ask(this.sinkAt(endpoint, config)), 201)}`;
  }

  /** Waits until all deliveries of a sink have ended. @returns their ids, oldest first */
  async settled(sink: string, count: number): Promise<readonly string[]> {
    return until(async () => {
      const { text } = await this.ask({ path: `${sink}/deliveries?order=oldest` });
      const { items } = JSON.parse(text) as { items: { id: string; settledAt: string | null }[] };
      return items.length === count && items.every(({ settledAt }) => settledAt) ? items.map(({ id }) => id) : false;
    }, `${count} deliveries are settled`);
  }

  /** Without ids, times, ports, and numbers of milliseconds. */
  #plain(text: string): string {
    const named = this.#endpoints.reduce((plain, { url }) => plain.replaceAll(url, 'http://receiver/'), text);
    return named
      .replace(/\b(ads|dlv|syn|rcv)_[0-9A-Z]{26}/g, '$1')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
      .replace(/(\\"\w*(?:Ms|worker)\\"):(?:\d+(?:\.\d+)?|null)/g, '$1:0')
      .replace(/127\.0\.0\.1:\d+/g, 'receiver');
  }
}

export function idOf({ status, text }: RawAnswer, expected: number): string {
  if (status !== expected) throw new Error(`expected ${expected}, got ${status}: ${text}`);
  return (JSON.parse(text) as { readonly id: string }).id;
}

/** What a receiver got, without what is new in each push. */
export function received({
  method,
  rawHeaders,
  body,
  bytes,
  sha256,
  rows,
  signatureIsValid,
}: ReceivedRequest): unknown {
  const fresh = ['host', 'x-mt-delivery-id', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name, fresh.includes(name.toLowerCase()) ? 'fresh' : rawHeaders[i + 1]]] : [],
  );
  return { method, headers, body, bytes, sha256, rows, signatureIsValid };
}
