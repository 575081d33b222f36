import { randomBytes } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { storeUrl } from '../services/real-services.js';

export interface StoredObject {
  readonly bytes: Buffer;
  readonly headers: Headers;
}

/** A bucket of a test's own in the run's store, as its owner sees it. */
export class Bucket {
  private constructor(
    readonly name: string,
    readonly endpointUrl: string,
    readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
    private readonly client: AwsClient,
    private readonly now: () => Date,
  ) {}

  /**
   * @param store its URL with the owner's keys
   * @param now the store's time, where that of this process is another one
   */
  static async make({ versioned = false, store = '', now = () => new Date() } = {}): Promise<Bucket> {
    const { origin, username: accessKeyId, password: secretAccessKey } = new URL(store || storeUrl());
    const keys = { accessKeyId, secretAccessKey };
    const client = new AwsClient({ ...keys, service: 's3', region: 'us-east-1', retries: 0 });
    const bucket = new Bucket(`test-${randomBytes(8).toString('hex')}`, origin, keys, client, now);
    await bucket.#ask('PUT', '');
    if (versioned) {
      await bucket.#ask(
        'PUT',
        '?versioning',
        '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
      );
    }
    return bucket;
  }

  /** Of all objects, sorted. */
  async keysOf(prefix = ''): Promise<string[]> {
    const text = await (await this.#ask('GET', `?list-type=2&prefix=${encodeURIComponent(prefix)}`)).text();
    return elements(text, 'Key');
  }

  async get(key: string): Promise<StoredObject> {
    const answer = await this.#ask('GET', `/${path(key)}`);
    return { bytes: Buffer.from(await answer.arrayBuffer()), headers: answer.headers };
  }

  async put(key: string, body: string): Promise<void> {
    await this.#ask('PUT', `/${path(key)}`, body);
  }

  async delete(key: string): Promise<void> {
    await this.#ask('DELETE', `/${path(key)}`);
  }

  /** Begins an upload in parts, and leaves it. @returns its id */
  async beginUpload(key: string): Promise<string> {
    const [id = ''] = elements(await (await this.#ask('POST', `/${path(key)}?uploads`)).text(), 'UploadId');
    return id;
  }

  /** The ids of uploads that are neither completed nor aborted. */
  async uploads(): Promise<string[]> {
    return elements(await (await this.#ask('GET', '?uploads')).text(), 'UploadId');
  }

  /** The keys of all versions, one for each version. */
  async versions(): Promise<string[]> {
    return elements(await (await this.#ask('GET', '?versions')).text(), 'Key');
  }

  /** What somebody else asked of it, signed by its owner. @returns whatever the store answers */
  request(
    method: string,
    key: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | null,
  ): Promise<Response> {
    return this.#send(method, `/${path(key)}`, { headers, ...(body && { body: Buffer.from(body) }) });
  }

  #send(method: string, rest: string, init: RequestInit): Promise<Response> {
    const datetime = this.now()
      .toISOString()
      .replace(/[:-]|\.\d{3}/g, '');
    return this.client.fetch(`${this.endpointUrl}/${this.name}${rest}`, { method, ...init, aws: { datetime } });
  }

  async #ask(method: string, rest: string, body?: string): Promise<Response> {
    const answer = await this.#send(method, rest, body === undefined ? {} : { body });
    if (!answer.ok) throw new Error(`${method} ${rest}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

function path(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]+)</${name}>`, 'g'))]
    .map(([, text = '']) => unescaped(text))
    .sort();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex?: string, decimal?: string, name = '') => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return ENTITIES[name as string] ?? (Number.isNaN(code) ? all : String.fromCodePoint(code));
  });
}
