import { randomBytes } from 'node:crypto';
import { sinkBody } from '../../support/platform/customer.js';
import type { Endpoint, ReceivedRequest } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import type { HostProcess } from './host-process.js';

/** The agent of `hosts/tenant.ts`. */
export const AGENT = 'agt_01STRANGER';

export interface HostAnswer {
  readonly status: number;
  /** Without its parameters. */
  readonly contentType: string;
  readonly text: string;
}

/** Who calls a stranger's host: where its API is, and what lets them in. */
export class HostCustomer {
  /** @param api such as `http://127.0.0.1:40021/api/v1` */
  constructor(
    private readonly api: string,
    private readonly credentials: Readonly<Record<string, string>>,
    readonly agent = AGENT,
  ) {}

  static of(host: HostProcess, path: string, token: string): HostCustomer {
    return new HostCustomer(`${host.origin}/${path}`, { Authorization: `Bearer ${token}` });
  }

  /** Calls as `curl -d` does without a content type. */
  async post(path: string, body: string, contentType = 'application/x-www-form-urlencoded'): Promise<HostAnswer> {
    return this.call(path, { method: 'POST', body, headers: { 'Content-Type': contentType } });
  }

  async call(path: string, { headers, ...init }: RequestInit = {}): Promise<HostAnswer> {
    const response = await fetch(`${this.api}/${path}`, { ...init, headers: { ...this.credentials, ...headers } });
    const [contentType = ''] = (response.headers.get('content-type') ?? '').split(';');
    return { status: response.status, contentType, text: await response.text() };
  }

  /** A sink at an endpoint, which from now on checks its signature. */
  async sink(endpoint: Endpoint, config: Readonly<Record<string, unknown>> = {}): Promise<HostSink> {
    const secret = randomBytes(24).toString('base64url');
    await endpoint.does([{ kind: 'answer' }], secret);
    const body = sinkBody(endpoint.url, {
      secret: { value: secret },
      config: { url: endpoint.url, authScheme: 'HmacSha256', ...config },
    });
    const { status, text } = await this.post(`agents/${this.agent}/data-sources`, JSON.stringify(body));
    if (status !== 201) throw new Error(`expected 201, got ${status}: ${text}`);
    return new HostSink(this, endpoint, (JSON.parse(text) as { readonly id: string }).id, secret);
  }
}

export class HostSink {
  constructor(
    private readonly customer: HostCustomer,
    private readonly endpoint: Endpoint,
    readonly id: string,
    readonly secret: string,
  ) {}

  get path(): string {
    return `agents/${this.customer.agent}/data-sources/${this.id}`;
  }

  /** Waits until a push is on record as a success. @returns it as the receiver saw it; a use of the Test button is none */
  async pushed(): Promise<ReceivedRequest> {
    await until(async () => (await this.syncs())[0]?.status === 'SUCCEEDED', 'the push is on record');
    const push = this.endpoint.requests.at(-1);
    if (!push) throw new Error('a push is on record that the receiver never saw');
    return push;
  }

  /** The attempts, newest first. */
  async syncs(): Promise<readonly { readonly status: string; readonly worker: number }[]> {
    const { text } = await this.customer.call(`${this.path}/syncs`);
    return (JSON.parse(text) as { items: { status: string; worker: number }[] }).items;
  }
}
