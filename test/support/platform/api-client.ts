/** An answer of the platform's API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else null. */
  readonly body: Body;
  readonly text: string;
}

/** Tests look into answers as they expect them to be; what is not so fails the expectation. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- an answer has any shape, and each test says which
export type Body = any;

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What everybody's client of one platform keeps in mind: no answer may ever show one of these. */
export interface Hush {
  readonly secrets: Set<string>;
}

/** Calls the platform's API as one customer. */
export class ApiClient {
  constructor(
    private readonly origin: string,
    private readonly token: string | null,
    private readonly hush: Hush,
  ) {}

  get(path: string): Promise<Answer> {
    return this.raw('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.json('POST', path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.json('PATCH', path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.raw('DELETE', path);
  }

  private json(method: string, path: string, body: unknown): Promise<Answer> {
    if (body === undefined) return this.raw(method, path);
    return this.raw(method, path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  }

  async raw(method: string, path: string, { headers = {}, body }: RawRequest = {}): Promise<Answer> {
    const authorization: Record<string, string> = this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
    const url = path.startsWith('/') ? `${this.origin}${path}` : `${this.origin}/api/v1/${path}`;
    const response = await fetch(url, {
      method,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    for (const secret of this.hush.secrets) {
      if (text.includes(secret)) throw new Error(`${method} ${path} answers with a secret`);
    }
    const isJson = text !== '' && /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? (JSON.parse(text) as unknown) : null,
    };
  }
}
