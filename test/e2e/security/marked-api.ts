import type { Body } from '../../support/platform/api-client.js';
import { resultRows } from '../../support/platform/customer.js';
import { until } from '../../support/platform/until.js';
import type { HostProcess } from './host-process.js';

export interface Heard {
  readonly call: string;
  readonly status: number;
  readonly body: Body;
  /** Head and body. */
  readonly text: string;
}

/** A sink and its agent, by their paths. */
export interface MarkedSink {
  readonly agent: string;
  readonly sink: string;
}

/** Calls of a customer, with all that was answered to them. */
export class MarkedApi {
  readonly heard: Heard[] = [];
  /** Of all workspaces, the newest last. */
  readonly tokens: string[] = [];

  constructor(private readonly host: HostProcess) {}

  async newWorkspace(): Promise<void> {
    this.tokens.push(await this.host.token());
  }

  async call(method: string, path: string, body?: unknown, raw?: string): Promise<Heard> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.host.origin}/api/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.tokens.at(-1)}`, 'Content-Type': 'application/json' },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const json = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    const head = JSON.stringify([...response.headers]);
    const answer = {
      call: `${method} ${path}`,
      status: response.status,
      body: json ? (JSON.parse(text) as Body) : null,
      text: head + text,
    };
    this.heard.push(answer);
    return answer;
  }

  async expecting(status: number, answer: Promise<Heard>): Promise<Body> {
    const { status: found, body, call: made, text } = await answer;
    if (found !== status) throw new Error(`${made}: expected ${status}, got ${found}: ${text}`);
    return body;
  }

  /** @returns its path */
  async activeAgent(): Promise<string> {
    const { id } = await this.expecting(201, this.call('POST', 'agents', { name: 'Marked' }));
    const rules = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 1 } };
    await this.expecting(201, this.call('POST', `agents/${id}/rule-sets`, rules));
    await this.expecting(200, this.call('POST', `agents/${id}/activate`));
    return `agents/${id}`;
  }

  /** Finishes a job and waits for the end of its delivery, looking at everything that can be seen of it meanwhile. */
  async push({ agent, sink }: MarkedSink): Promise<Body> {
    const { jobId } = await this.expecting(201, this.call('POST', `${agent}/mapping-jobs`, { results: resultRows(3) }));
    const { items } = await this.expecting(200, this.call('GET', `${sink}/deliveries?jobId=${jobId as string}`));
    return this.settled(items[0].id as string);
  }

  async settled(id: string): Promise<Body> {
    await until(
      async () => {
        // Due now, in the place of waiting for its time.
        const [, updated] = await this.host.database.query<[unknown, number]>(
          'UPDATE agent_data_source_delivery SET next_attempt_at = now() WHERE id = $1 AND next_attempt_at > now()',
          [id],
        );
        // As seen between two attempts.
        if (updated > 0) await this.expecting(200, this.call('GET', `deliveries/${id}`));
        const [row] = await this.host.database.query<{ settled: boolean }[]>(
          'SELECT settled_at IS NOT NULL AS settled FROM agent_data_source_delivery WHERE id = $1',
          [id],
        );
        return row?.settled;
      },
      `the delivery ${id} is settled`,
      30_000,
    );
    return this.expecting(200, this.call('GET', `deliveries/${id}`));
  }
}
