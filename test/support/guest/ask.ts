import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Of whoever asks without saying who. */
export const TOKEN = 'mt_guest';

/** An answer to the byte. Names of headers are in lower case. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As bytes, on a connection of its own, and without what `fetch` does by itself. */
export function ask(origin: string, { method = 'GET', path, headers = {}, body }: Asked): Promise<RawAnswer> {
  const sent: Record<string, string> = {
    Authorization: `Bearer ${TOKEN}`,
    'X-Request-Id': randomBytes(4).toString('hex'),
  };
  if (body !== undefined) {
    sent['Content-Type'] = 'application/json';
    sent['Content-Length'] = String(Buffer.byteLength(body));
  }
  return new Promise((resolve, reject) => {
    const asked = request(
      `${origin}${path}`,
      { method, headers: { ...sent, ...headers }, agent: new Agent() },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const named = response.headers as RawAnswer['headers'];
          resolve({ status: response.statusCode ?? 0, headers: named, bytes, text: bytes.toString() });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const OURS = [
  ...['content-type', 'content-length', 'content-encoding', 'content-digest', 'content-disposition', 'cache-control'],
  ...['content-security-policy', 'referrer-policy', 'x-content-type-options', 'retry-after', 'vary'],
];

/** What an answer tells: without the ids and times of what the request itself made, and the host's own headers. */
export function told({ status, headers, text }: RawAnswer): unknown {
  const body = text
    .replace(/"(ads|dlv|syn)_[0-9A-Z]{26}"/g, '"$1"')
    .replace(/"requestId":"[^"]+"/, '"requestId":"id"')
    .replace(/"\d{4}-\d\d-\d\dT[^"]+Z"/g, '"time"');
  return { status, headers: Object.fromEntries(OURS.map((name) => [name, headers[name]])), body };
}
