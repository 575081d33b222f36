import { Readable } from 'node:stream';
import { HeldBytes } from '../held-bytes.js';
import type { PushHeaders } from '../push-headers.js';
import { PushVerificationError } from '../push-verification-error.js';
import { bodyAlreadyParsed } from '../verify-push.js';

/** The least of a request that this kit looks at; those of Node, Express, Fastify and Nest all have it. */
export interface PushRequest {
  readonly headers: PushHeaders;
  /** The raw body, where a framework was told to keep it. */
  readonly rawBody?: unknown;
  /** What a body parser made of it. */
  readonly body?: unknown;
}

/** The bytes of a request's body: kept by the framework, or still to be read. */
export async function collectRawBody(request: PushRequest, limitBytes: number): Promise<Buffer> {
  const kept = keptBytes(request.rawBody) ?? keptBytes(request.body);
  if (kept !== null) {
    if (kept.length > limitBytes) throw bodyTooLarge(limitBytes);
    return kept;
  }
  if (!(request instanceof Readable) || request.readableDidRead) throw bodyAlreadyParsed();
  return readAll(request, limitBytes);
}

function keptBytes(value: unknown): Buffer | null {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null;
}

/** With listeners, because leaving a `for await` early would destroy the socket that the refusal must go out on. */
function readAll(stream: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('the sender closed the connection before the body ended'));
    // It may have left while the secrets were fetched, and no event tells so a second time.
    if (stream.destroyed) leave();
    let held: HeldBytes | null = new HeldBytes(limitBytes);
    stream.on('data', (chunk: Buffer) => {
      if (held !== null && held.length + chunk.length <= limitBytes) {
        held.push(chunk);
        return;
      }
      // The rest is read and dropped, so that the sender gets to see the answer.
      held = null;
      reject(bodyTooLarge(limitBytes));
    });
    stream.once('end', () => {
      if (held !== null) resolve(held.bytes());
    });
    stream.once('error', reject);
    stream.once('close', leave);
  });
}

export function bodyTooLarge(limitBytes: number): PushVerificationError {
  return new PushVerificationError(
    'body_too_large',
    `The body is larger than limitBytes (${limitBytes}). Raise it, or read large pushes as a stream with PushVerifierStream and PayloadReader.`,
  );
}
