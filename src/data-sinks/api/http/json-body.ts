import { NoAnswerError, ProblemError } from '../../domain/errors.js';
import { within } from '../../tools/within.js';

/** Our requests are small; a larger body is a mistake or an attack. */
export const MAX_BODY_BYTES = 64 * 1024;
/** Deadline for a whole body: a slow client must not hold a connection for ever. @see readJsonBody */
export const BODY_DEADLINE_MS = 30_000;
const MAX_DEPTH = 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The subset of Node's request that is needed to read it. */
export interface ReadableRequest extends AsyncIterable<Uint8Array> {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export function hasBody({ headers }: Pick<ReadableRequest, 'headers'>): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

export interface JsonBodyLimits {
  /** @default MAX_BODY_BYTES */
  readonly maxBytes?: number;
  /** @default BODY_DEADLINE_MS */
  readonly deadlineMs?: number;
}

/**
 * Reads a request's body as JSON. `curl -d` sends form-urlencoded as its default content type, so a body that begins
 * with `{` is read as JSON regardless (contract, section 3).
 * @returns undefined when there is no body
 * @throws ProblemError `body-too-large`, `unsupported-media-type` or `malformed-json`
 */
export async function readJsonBody(
  request: ReadableRequest,
  { maxBytes = MAX_BODY_BYTES, deadlineMs = BODY_DEADLINE_MS }: JsonBodyLimits = {},
): Promise<unknown> {
  const text = await within(readText(request, maxBytes), deadlineMs, 'the body').catch((error: unknown) => {
    if (!(error instanceof NoAnswerError)) throw error;
    throw new ProblemError('malformed-json', `The body was not complete after ${deadlineMs / 1000} seconds.`);
  });
  return parseJsonBody(text, String(request.headers['content-type'] ?? ''));
}

async function readText(request: ReadableRequest, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // Keep reading without storing: a client that is still writing would not see the response.
    if (size <= maxBytes) chunks.push(chunk);
  }
  if (size > maxBytes) throw new ProblemError('body-too-large', `A body may have at most ${maxBytes} bytes.`);
  try {
    return UTF8.decode(Buffer.concat(chunks));
  } catch {
    // Decoded differently, a secret in it would not be the one that was sent.
    throw new ProblemError('malformed-json', 'The body is not UTF-8.');
  }
}

function parseJsonBody(text: string, contentType: string): unknown {
  if (text.trim() === '') return undefined;
  const isJson = /^application\/([\w.+-]+\+)?json\b/i.test(contentType);
  const isUndeclared = contentType === '' || /^(application\/x-www-form-urlencoded|text\/plain)\b/i.test(contentType);
  if (!isJson && !(isUndeclared && text.trimStart().startsWith('{'))) {
    throw new ProblemError('unsupported-media-type', 'Send a JSON object with "Content-Type: application/json".');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProblemError('malformed-json', `The body is not valid JSON: ${whereJsonFails(error)}.`);
  }
  if (depthOf(value) > MAX_DEPTH) {
    throw new ProblemError('malformed-json', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
  return value;
}

/** V8's message without its excerpt of the body, which may hold a secret. */
function whereJsonFails(error: unknown): string {
  const position = /at position \d+( \(line \d+ column \d+\))?/.exec(String(error));
  if (position) return `it breaks off ${position[0]}`;
  const isCut = String(error).includes('Unexpected end of JSON input');
  return isCut ? 'it breaks off before its end' : 'one of its characters does not belong where it is';
}

function depthOf(value: unknown, level = 1): number {
  if (typeof value !== 'object' || value === null) return level - 1;
  if (level > MAX_DEPTH) return level;
  return Math.max(level, ...Object.values(value).map((inner) => depthOf(inner, level + 1)));
}

/** Maps a failure to read a body to a problem. */
export function bodyProblem(error: unknown): ProblemError {
  return error instanceof ProblemError
    ? error
    : new ProblemError('malformed-json', 'The connection closed before the body was complete.');
}
