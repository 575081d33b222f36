import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeVaultRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What the fake does instead of answering properly. */
export type FakeVaultFault = 'sealed' | 'silent' | 'redirecting' | 'not-json' | 'cut';

/**
 * The part of Vault's KV version 2 API that one value per path needs: write with check-and-set, read, delete the
 * metadata. One token, one mount.
 */
export class FakeKvV2 {
  readonly requests: FakeVaultRequest[] = [];
  fault: FakeVaultFault | null = null;
  /** Whether the token's policy has `update` beside `create`. */
  mayUpdate = false;
  /** Reads are answered when so many wait. */
  readsTogether = 1;
  /** The most reads that waited at once. */
  mostWaiting = 0;

  #waiting: (() => void)[] = [];
  readonly #secrets = new Map<string, unknown>();
  readonly #server: Server;

  constructor(
    private readonly token: string,
    private readonly mount: string,
  ) {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** @returns its address */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, url, headers });
    const body = await textOf(request);
    if (this.fault !== null) return misbehave(this.fault, response);
    if (headers['x-vault-token'] !== this.token) return send(response, 403, { errors: ['permission denied'] });
    const [, kind, path] = new RegExp(`^/v1/${this.mount}/(data|metadata)/(.+)$`).exec(url) ?? [];
    if (path === undefined) return send(response, 404, { errors: ['no handler for route'] });
    if (kind === 'data' && method === 'GET') return this.#wait(() => this.#read(path, response));
    if (kind === 'data' && method === 'POST') return this.#write(path, body, response);
    if (kind === 'metadata' && method === 'DELETE') {
      this.#secrets.delete(path);
      return send(response, 204);
    }
    return send(response, 405, { errors: ['unsupported operation'] });
  }

  #wait(read: () => void): void {
    this.#waiting.push(read);
    this.mostWaiting = Math.max(this.mostWaiting, this.#waiting.length);
    if (this.#waiting.length < this.readsTogether) return;
    for (const waiting of this.#waiting.splice(0)) waiting();
  }

  #read(path: string, response: ServerResponse): void {
    if (!this.#secrets.has(path)) return send(response, 404, { errors: [] });
    return send(response, 200, { data: { data: this.#secrets.get(path), metadata: { version: 1, destroyed: false } } });
  }

  #write(path: string, body: string, response: ServerResponse): void {
    const { data, options } = JSON.parse(body) as { data: unknown; options?: { cas?: number } };
    if (this.#secrets.has(path)) {
      if (!this.mayUpdate) return send(response, 403, { errors: ['permission denied'] });
      if (options?.cas === 0) {
        return send(response, 400, { errors: ['check-and-set parameter did not match the current version'] });
      }
    }
    this.#secrets.set(path, data);
    return send(response, 200, { data: { version: 1, destroyed: false } });
  }
}

function misbehave(fault: FakeVaultFault, response: ServerResponse): void {
  switch (fault) {
    case 'sealed':
      return send(response, 503, { errors: ['Vault is sealed'] });
    case 'redirecting':
      response.writeHead(307, { Location: 'http://127.0.0.1:1/elsewhere' }).end();
      return;
    case 'not-json':
      response.writeHead(200).end('<html>a proxy in between</html>');
      return;
    case 'cut':
      response.destroy();
      return;
    case 'silent':
      return;
  }
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(body === undefined ? '' : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
