import { Problem } from '../api/problem.js';
import type { Delivery } from '../api/types.js';

/** Maximum number of bytes shown. */
const SHOWN_BYTES = 16_384;

export interface BodyStart {
  readonly text: string;
  readonly isWhole: boolean;
}

/** Why this browser cannot show the body; null when it can. */
export function whyNotShown({ format, compression }: Delivery): string | null {
  if (format === 'PARQUET') return 'A Parquet file is no text: download it.';
  const canUnpack = compression === 'none' || 'DecompressionStream' in globalThis;
  return canUnpack ? null : 'This browser cannot unpack gzip: download it.';
}

/** Reads and decompresses only as much of a body as is shown. */
export async function readStart(stream: ReadableStream<BufferSource>, delivery: Delivery): Promise<BodyStart> {
  const plain: ReadableStream<unknown> =
    delivery.compression === 'gzip' ? stream.pipeThrough(new DecompressionStream('gzip')) : stream;
  const { bytes, isWhole } = await firstOf(plain.getReader() as ReadableStreamDefaultReader<Uint8Array>);
  // Drops a character that is cut in the middle.
  const text = new TextDecoder().decode(bytes, { stream: !isWhole });
  return { text: isWhole && delivery.format === 'JSON' ? pretty(text) : text, isWhole };
}

async function firstOf(reader: ReadableStreamDefaultReader<Uint8Array>) {
  const bytes = new Uint8Array(SHOWN_BYTES);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(cut);
    if (done) return { bytes: bytes.subarray(0, filled), isWhole: true };
    const fitting = value.subarray(0, SHOWN_BYTES - filled);
    bytes.set(fitting, filled);
    filled += fitting.length;
    if (fitting.length < value.length) {
      void reader.cancel();
      return { bytes, isWhole: false };
    }
  }
}

/** The whole body, byte for byte. */
export async function readWhole(stream: ReadableStream<BufferSource>): Promise<Blob> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).blob().catch(cut);
}

function cut(): never {
  throw new Problem('cut', 0, 'The body broke off', 'The connection ended in the middle of it. Try again.');
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
