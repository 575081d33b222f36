import { TextDecoder } from 'node:util';

const NEWLINE = 0x0a;

/** Maximum length of a line, so that one endless line cannot fill the memory. */
export const MAX_LINE_BYTES = 16_384;

export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';

  constructor(
    readonly line: number,
    readonly detail: string,
  ) {
    super(`line ${line}: ${detail}`);
  }
}

/** A parsed line with its number from 1. Blank lines are skipped but counted. */
export interface NdjsonLine {
  readonly line: number;
  readonly value: unknown;
}

/**
 * Parses newline-delimited JSON as it arrives, in constant memory.
 * @throws {NdjsonError} for a line that is too long, not UTF-8 or not JSON
 */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<NdjsonLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  let rest: Uint8Array = new Uint8Array(0);
  const parse = (bytes: Uint8Array): NdjsonLine | null => {
    line++;
    if (bytes.length > MAX_LINE_BYTES) throw new NdjsonError(line, `is longer than ${MAX_LINE_BYTES} bytes`);
    const text = decode(decoder, bytes, line);
    return text === '' ? null : { line, value: parseJson(text, line) };
  };

  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const parsed = parse(bytes.subarray(start, end));
      if (parsed) yield parsed;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw new NdjsonError(line + 1, `is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (rest.length > 0) {
    const parsed = parse(rest);
    if (parsed) yield parsed;
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array, line: number): string {
  try {
    return decoder.decode(bytes).trim();
  } catch {
    throw new NdjsonError(line, 'is not UTF-8');
  }
}

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NdjsonError(line, 'is not JSON');
  }
}
