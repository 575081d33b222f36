import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../../data-sinks/index.js';

/**
 * Streams the body. Unlike Node's own iterator, leaving the loop early does not destroy the connection, so that a
 * response can be sent.
 */
export async function* bodyChunks(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch (error) {
    // Nobody reads this response; it only prevents the aborted upload from being logged as a server error.
    if (request.destroyed)
      throw new ProblemError('malformed-json', 'The connection closed before the upload was complete.');
    throw error;
  }
}

/** @throws {ProblemError} `body-too-large`, `malformed-json` */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(request)) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new ProblemError(
        'body-too-large',
        `Send at most ${maxBytes} bytes of JSON, or any number of rows as application/x-ndjson, one row a line.`,
      );
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (!isUtf8(body)) throw new ProblemError('malformed-json', 'The body is not UTF-8.');
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw new ProblemError(
      'malformed-json',
      'The body is not valid JSON. To send one row per line, use application/x-ndjson.',
    );
  }
}

/** Reads and drops the rest, so that a client that is still sending can read the response. */
export async function discardRest(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    request
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve())
      .resume();
  });
}
