import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { prepend } from './prepend.js';

const gzipAsync = promisify(gzip);

/**
 * Bodies are compressed once and sent many times, so this is the usual level: about 100 MB/s, and a tenth smaller than
 * the fastest. Never change it: a rebuilt body must have the same bytes.
 */
const LEVEL = 6;

/** Input and output block size of the compressor. Never change it, for the same reason. */
export const GZIP_BLOCK_BYTES = 256 * 1024;

/** The operating system in the header (RFC 1952). 255 means "unknown", on every platform. */
const OS_BYTE = 9;
const UNKNOWN_OS = 255;

/** Compresses bytes to one gzip member. Deterministic. */
export async function gzipWhole(bytes: Uint8Array): Promise<Buffer> {
  return withFixedHeader(await gzipAsync(bytes, { level: LEVEL }));
}

/**
 * The same for a stream, in pieces of about `pieceBytes`. The output depends only on the bytes, not on their chunks,
 * because the compressor gets blocks of one size.
 */
export async function* gzipped(chunks: AsyncIterable<Buffer>, pieceBytes: number): AsyncGenerator<Buffer> {
  const blocks = inBlocks(chunks, pieceBytes);
  const [first, second] = [await blocks.next(), await blocks.next()];
  if (second.done) {
    yield await gzipWhole(first.done ? Buffer.alloc(0) : first.value);
    return;
  }
  const compressor = createGzip({ level: LEVEL, chunkSize: 64 * 1024 });
  const source = prepend([first.value as Buffer, second.value], blocks);
  // An error on either side ends both and is thrown by the loop below.
  pipeline(source, compressor, () => undefined);
  let isFirst = true;
  for await (const piece of inBlocks(compressor as AsyncIterable<Buffer>, pieceBytes)) {
    yield isFirst ? withFixedHeader(piece) : piece;
    isFirst = false;
  }
}

/** zlib already writes 0 as the time in the header. */
function withFixedHeader(bytes: Buffer): Buffer {
  bytes[OS_BYTE] = UNKNOWN_OS;
  return bytes;
}

/** Splits bytes into blocks of exactly this size, except the last. */
async function* inBlocks(chunks: AsyncIterable<Buffer>, blockBytes: number): AsyncGenerator<Buffer, void> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (let chunk of chunks) {
    while (size + chunk.length >= blockBytes) {
      const room = blockBytes - size;
      yield Buffer.concat([...pieces, chunk.subarray(0, room)], blockBytes);
      chunk = chunk.subarray(room);
      pieces = [];
      size = 0;
    }
    if (chunk.length > 0) pieces.push(chunk);
    size += chunk.length;
  }
  if (size > 0) yield Buffer.concat(pieces, size);
}
