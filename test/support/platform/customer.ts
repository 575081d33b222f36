import { randomBytes } from 'node:crypto';
import type { Answer, ApiClient, Body } from './api-client.js';
import type { Endpoint } from './receiver-process.js';
import { until } from './until.js';

/** A request body that creates a sink (contract, section 3); tests change what they need. */
export function sinkBody(url: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: 'Internal BI ingest',
    config: { url, authScheme: 'HmacSha256' },
    format: 'JSON',
    ...more,
  };
}

/** Rows of a completed job, every third without a match. */
export function resultRows(count: number): Readonly<Record<string, unknown>>[] {
  return Array.from({ length: count }, (_, i) => {
    const id = String(i + 1).padStart(26, '0');
    const matched = i % 3 !== 2;
    return {
      partnerRowId: `row_${id}`,
      referenceHotelId: matched ? `ref_${id}` : null,
      matchMethod: matched ? 'STANDARD' : null,
      matchConfidence: i % 3 === 1 ? 0.875 : null,
    };
  });
}

/** Fails with the response if a request that a test expects to succeed does not. */
export function expectStatus(answer: Answer, status: number): Body {
  if (answer.status === status) return answer.body;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.text}`);
}

/** What a customer's helpers need of the running platform. */
interface PlatformOfCustomer {
  keepSecret(secret: string): void;
  sql(text: string, parameters?: readonly unknown[]): Promise<readonly unknown[]>;
}

/** A workspace on the platform, with helpers for its users' actions. */
export class Customer {
  constructor(
    readonly platform: PlatformOfCustomer,
    readonly workspaceId: string,
    readonly api: ApiClient,
  ) {}

  /** A newly created agent: a draft without rules. */
  async draftAgent(): Promise<Agent> {
    const { id } = expectStatus(await this.api.post('agents', { name: 'Hotel matcher' }), 201) as { id: string };
    return new Agent(this, id);
  }

  /** An active agent with auto-push on. */
  async agent(dataSinks: Readonly<Record<string, unknown>> = {}): Promise<Agent> {
    const agent = await this.draftAgent();
    await agent.setRules({ auto_push_on_job_complete: true, ...dataSinks });
    await agent.activate();
    return agent;
  }

  async delivery(id: string): Promise<Body> {
    return expectStatus(await this.api.get(`deliveries/${id}`), 200);
  }

  /** Waits until a delivery has ended. */
  async settled(id: string): Promise<Body> {
    return this.deliveryWhen(id, ({ settledAt }) => settledAt !== null, 'it is settled');
  }

  /** Makes a waiting delivery due now, to avoid waiting. */
  async hurry(id: string): Promise<void> {
    await this.platform.sql(
      `UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at IS NOT NULL`,
      [id],
    );
  }

  async deliveryWhen(id: string, holds: (delivery: Body) => boolean, what: string): Promise<Body> {
    return until(async () => {
      const delivery = await this.delivery(id);
      return holds(delivery) && delivery;
    }, `of the delivery ${id}, ${what}`);
  }
}

export class Agent {
  readonly path: string;

  constructor(
    readonly customer: Customer,
    readonly id: string,
  ) {
    this.path = `agents/${id}`;
  }

  get api(): ApiClient {
    return this.customer.api;
  }

  async setRules(dataSinks: Readonly<Record<string, unknown>>): Promise<void> {
    expectStatus(await this.api.post(`${this.path}/rule-sets`, { data_sinks: dataSinks }), 201);
  }

  async activate(): Promise<void> {
    expectStatus(await this.api.post(`${this.path}/activate`), 200);
  }

  async pause(): Promise<void> {
    expectStatus(await this.api.post(`${this.path}/pause`), 200);
  }

  /** A sink at an endpoint; its secret is random unless given, and must never appear again. */
  async sink(endpoint: Endpoint | string, more: Readonly<Record<string, unknown>> = {}): Promise<Sink> {
    const url = typeof endpoint === 'string' ? endpoint : endpoint.url;
    const secret = { value: randomBytes(24).toString('base64url') };
    const body = sinkBody(url, { secret, ...more });
    const created = expectStatus(await this.api.post(`${this.path}/data-sources`, body), 201);
    const { value } = body['secret'] as { value: string };
    this.customer.platform.keepSecret(value);
    return new Sink(this, (created as { id: string }).id, value);
  }

  /** Completes a job. @returns its id */
  async finishJob(rows: readonly unknown[] = resultRows(3), jobId?: string): Promise<string> {
    const answer = await this.api.post(`${this.path}/mapping-jobs`, { results: rows, ...(jobId && { jobId }) });
    if (answer.status !== 200) expectStatus(answer, 201);
    return (answer.body as { jobId: string }).jobId;
  }
}

export class Sink {
  readonly path: string;

  constructor(
    readonly agent: Agent,
    readonly id: string,
    readonly secret: string,
  ) {
    this.path = `${agent.path}/data-sources/${id}`;
  }

  get api(): ApiClient {
    return this.agent.api;
  }

  /** Sets a URL that saving would refuse, as if its name had resolved elsewhere at that time. */
  async nowLeadsTo(url: string): Promise<void> {
    await this.agent.customer.platform.sql(
      `UPDATE agent_data_source SET config = jsonb_set(config, '{url}', to_jsonb($2::text)) WHERE id = $1`,
      [this.id, url],
    );
  }

  /** The deliveries, newest first. */
  async deliveries(query = ''): Promise<Body[]> {
    return (expectStatus(await this.api.get(`${this.path}/deliveries${query}`), 200) as { items: Body[] }).items;
  }

  /** The attempts, newest first. */
  async syncs(): Promise<Body[]> {
    return (expectStatus(await this.api.get(`${this.path}/syncs`), 200) as { items: Body[] }).items;
  }

  /** The delivery of a job; there is at most one. */
  async deliveryOf(jobId: string): Promise<Body> {
    const [delivery] = await this.deliveries(`?jobId=${encodeURIComponent(jobId)}`);
    if (!delivery) throw new Error(`the job ${jobId} has no delivery to the sink ${this.id}`);
    return delivery;
  }

  /** Completes a job and waits until its delivery to this sink has ended. */
  async settledPush(rows?: readonly unknown[]): Promise<Body> {
    const delivery = await this.deliveryOf(await this.agent.finishJob(rows));
    return this.agent.customer.settled(delivery.id);
  }
}
