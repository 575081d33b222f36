/** The parts of the platform's responses that the demo uses. */
export interface SinkSaved {
  readonly id: string;
  readonly secret: { readonly hint: string | null };
}

export interface TestAnswer {
  readonly passed: boolean;
  readonly advice: string | null;
  readonly received: { readonly httpStatus: number } | null;
  readonly timings: { readonly totalMs: number };
}

export interface JobFinished {
  readonly jobId: string;
  readonly stats: { readonly total: number; readonly matched: number; readonly unmatched: number };
}

export interface AttemptSeen {
  readonly attemptNumber: number;
  readonly status: string;
  readonly httpStatus: number | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

export interface DeliverySeen {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly nextAttemptAt: string | null;
  readonly payload: { readonly sha256: string; readonly bytes: number; readonly rows: number } | null;
  readonly attempts: readonly AttemptSeen[];
}

/** The customer's HTTP client, with the workspace's token. */
export class PlatformClient {
  constructor(
    private readonly origin: string,
    private readonly token: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.request<T>(path, {});
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return this.request<T>(path, { method: 'POST', ...(body === undefined ? {} : json) });
  }

  /** Streams rows, one per line. */
  postRows<T>(path: string, lines: AsyncIterable<Uint8Array>): Promise<T> {
    return this.request<T>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ReadableStream.from(lines) as unknown as NonNullable<RequestInit['body']>,
      duplex: 'half',
    });
  }

  private async request<T>(path: string, init: RequestInit): Promise<T> {
    const response = await fetch(`${this.origin}/api/v1${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
