import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { isPacked, type PayloadRecipe } from '../domain/body/payload-recipe.js';

const deflateAsync = promisify(deflateRaw);
const inflateAsync = promisify(inflateRaw);

/** Below this size, the thread pool's overhead exceeds the work. */
const SYNC_BELOW_BYTES = 32 * 1024;

// Fastest level: about 200 MB/s at a ratio of 6; level 6 gives 100 MB/s at 6.6 (measured). zlib returns output in
// pieces of `chunkSize`, each with a hop to this thread and a final copy: large enough for one piece.
const DEFLATE = { level: 1, chunkSize: 128 * 1024 };
/** Results decompress to 5 to 16 times their size. */
const UNFOLDS_TO = 20;
/** Larger than any stored chunk. */
const MOST_BYTES = 1280 * 1024;

type Body = Pick<PayloadRecipe, 'format' | 'compression'>;

/** @returns null for a body that is compressed in itself, whose chunks are stored unchanged */
export function deflateOptions(body: Body): ZlibOptions | null {
  return isPacked(body) ? null : DEFLATE;
}

/** The stored form of a chunk. @param body the recipe of its body */
export async function compress(bytes: Buffer, body: Body): Promise<Buffer> {
  const options = deflateOptions(body);
  if (!options) return bytes;
  return bytes.length < SYNC_BELOW_BYTES
    ? deflateRawSync(bytes, { level: DEFLATE.level })
    : deflateAsync(bytes, options);
}

export async function decompress(stored: Buffer, body: Body): Promise<Buffer> {
  if (isPacked(body)) return stored;
  if (stored.length < SYNC_BELOW_BYTES / 4) return inflateRawSync(stored);
  return inflateAsync(stored, { chunkSize: Math.min(UNFOLDS_TO * stored.length, MOST_BYTES) });
}
