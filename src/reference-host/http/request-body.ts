import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../../data-sinks/index.js';

/**
 * The body's chunks as they arrive. Leaving the loop early does not cut the connection, as Node's own iterator does:
 * the caller is still to get an answer.
 */
export async function* bodyChunks(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch (error) {
    // Nobody is there to read this answer; it keeps a broken upload from counting as a fault of ours.
    if (request.destroyed) throw new ProblemError('malformed-json', 'The upload broke off before its end.');
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
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new ProblemError('malformed-json', 'The body is not valid JSON. Rows one a line are application/x-ndjson.');
  }
}

/** Reads and forgets what is left, so that a caller who is still sending gets round to reading the answer. */
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
