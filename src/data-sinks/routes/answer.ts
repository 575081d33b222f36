import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { toJson } from '../tools/to-json.js';

/** A complete response, byte for byte. */
export class Answer {
  /** @param body null for none */
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Buffer | Readable | null,
  ) {}

  /** @param type the media type. @default application/json */
  static json(
    status: number,
    value: unknown,
    headers: Readonly<Record<string, string>> = {},
    type = 'application/json; charset=utf-8',
  ): Answer {
    return new Answer(status, { ...headers, 'Content-Type': type }, Buffer.from(toJson(value)));
  }
}

type SetHeaders = Readonly<Record<string, number | string | string[] | undefined>>;

/** Node's response. */
interface NodeResponse extends Writable {
  readonly req: { readonly method?: string };
  readonly headersSent: boolean;
  statusCode: number;
  getHeader(name: string): SetHeaders[string];
  setHeader(name: string, value: number | string | readonly string[]): unknown;
}

/**
 * The subset of Fastify's reply that is needed; `raw` distinguishes it from Express's response, which is Node's own.
 */
interface FastifyReply {
  readonly raw: NodeResponse;
  readonly sent: boolean;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  getHeaders(): SetHeaders;
  send(body?: Buffer): unknown;
  hijack(): unknown;
}

/** The response of an Express or a Fastify host. */
export type HostResponse = NodeResponse | FastifyReply;

export function isAnswered(response: HostResponse): boolean {
  return 'raw' in response ? response.sent || response.raw.headersSent : response.headersSent;
}

/**
 * The only place that writes our responses. Host settings that change responses (`json spaces`, ETags, serializers,
 * middleware that sets the same headers) have no effect.
 * @returns when the response was sent or the client disconnected. Never rejects
 */
export async function writeAnswer(response: HostResponse, answer: Answer): Promise<void> {
  const isFastify = 'raw' in response;
  const raw = isFastify ? response.raw : response;
  try {
    if (isFastify && isBytes(answer.body)) {
      // Runs the host's hooks: they save sessions and set cookies.
      response.code(answer.status);
      for (const [name, value] of headersOver(response.getHeaders(), answer)) response.header(name, value);
      response.send(answer.body ?? undefined);
      return await finished(raw);
    }
    raw.statusCode = answer.status;
    if (isFastify) {
      // Fastify's hooks may re-encode a stream and report its failure in their own format.
      response.hijack();
      for (const [name, value] of Object.entries(response.getHeaders())) {
        if (value !== undefined) raw.setHeader(name, value);
      }
    }
    for (const [name, value] of headersOver({ vary: raw.getHeader('Vary') }, answer)) raw.setHeader(name, value);
    await sendRaw(raw, answer.body);
  } catch {
    // The client disconnected, or the payload's bytes are incomplete: closing the connection early signals that.
    raw.destroy();
    if (!isBytes(answer.body)) answer.body.destroy();
  }
}

/** Ours, but for `Vary`: what of the host's depends on the request (its CORS, its compression) still does. */
function headersOver({ vary }: SetHeaders, { headers }: Answer): (readonly [name: string, value: string])[] {
  const ours = Object.entries(headers);
  if (vary === undefined) return ours;
  return ours.map(([name, value]) => [name, name === 'Vary' ? `${String(vary)}, ${value}` : value]);
}

async function sendRaw(raw: NodeResponse, body: Answer['body']): Promise<void> {
  if (!isBytes(body) && raw.req.method !== 'HEAD') return pipeline(body, raw);
  if (isBytes(body)) raw.end(bytesFor(raw, body));
  else {
    body.destroy();
    raw.end();
  }
  await finished(raw);
}

function bytesFor(raw: NodeResponse, body: Buffer | null): Buffer | undefined {
  if (body === null) return undefined;
  raw.setHeader('Content-Length', body.length);
  return body;
}

function isBytes(body: Answer['body']): body is Buffer | null {
  return body === null || Buffer.isBuffer(body);
}
