import { Readable } from 'node:stream';
import { HeldBytes } from '../held-bytes.js';
import type { PushHeaders } from '../push-headers.js';
import { PushVerificationError } from '../push-verification-error.js';
import { bodyAlreadyParsed } from '../verify-push.js';

/** The subset of a request that this kit uses; Node, Express, Fastify and Nest all provide it. */
export interface PushRequest {
  readonly headers: PushHeaders;
  /** The raw body, if the framework keeps it. */
  readonly rawBody?: unknown;
  /** The parsed body. */
  readonly body?: unknown;
}

/** The bytes of a request's body: kept by the framework, or read now. */
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

/** Uses listeners: leaving a `for await` early would destroy the socket needed for the response. */
function readAll(stream: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('the sender closed the connection before the body ended'));
    // The client may have disconnected while the secrets were fetched; no further event is emitted then.
    if (stream.destroyed) leave();
    let held: HeldBytes | null = new HeldBytes(limitBytes);
    stream.on('data', (chunk: Buffer) => {
      if (held !== null && held.length + chunk.length <= limitBytes) {
        held.push(chunk);
        return;
      }
      // Reads and drops the rest, so that the sender can read the response.
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
