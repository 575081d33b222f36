import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { chain } from './chain.js';

const gzipAsync = promisify(gzip);

/**
 * Bodies are compressed once and sent many times, so the level is the one that everybody uses: some 100 MB/s, and a tenth
 * smaller than the fastest. A body that has to be made again must come out as it was, so this is never to be changed.
 */
const LEVEL = 6;

/** What the compressor is fed at a time, and what is stored of what it makes. Never to be changed, for the same reason. */
export const GZIP_BLOCK_BYTES = 256 * 1024;

/** Of the header (RFC 1952): which operating system made it. 255 says "unknown", wherever this runs. */
const OS_BYTE = 9;
const UNKNOWN_OS = 255;

/** Some bytes as one gzip member: the same bytes always give the same. */
export async function gzipWhole(bytes: Uint8Array): Promise<Buffer> {
  return withFixedHeader(await gzipAsync(bytes, { level: LEVEL }));
}

/**
 * The same for any number of bytes, in pieces of about `pieceBytes`. What comes out depends on the bytes alone and not on
 * where their chunks end: they are fed to the compressor in blocks of one size.
 */
export async function* gzipped(chunks: AsyncIterable<Buffer>, pieceBytes: number): AsyncGenerator<Buffer> {
  const blocks = inBlocks(chunks, pieceBytes);
  const [first, second] = [await blocks.next(), await blocks.next()];
  if (second.done) {
    yield await gzipWhole(first.done ? Buffer.alloc(0) : first.value);
    return;
  }
  const compressor = createGzip({ level: LEVEL, chunkSize: 64 * 1024 });
  const source = chain([first.value as Buffer, second.value], blocks);
  // What fails on either side ends both, and comes out of the loop below.
  pipeline(source, compressor, () => undefined);
  let isFirst = true;
  for await (const piece of inBlocks(compressor as AsyncIterable<Buffer>, pieceBytes)) {
    yield isFirst ? withFixedHeader(piece) : piece;
    isFirst = false;
  }
}

/** The time in the header is 0 already, as zlib writes it when nobody sets one. */
function withFixedHeader(bytes: Buffer): Buffer {
  bytes[OS_BYTE] = UNKNOWN_OS;
  return bytes;
}

/** The same bytes in blocks of exactly so many, but for the last one. */
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
