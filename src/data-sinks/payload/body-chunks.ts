import type { MappingResultRow } from '../core/job-completed.js';
import { type PayloadFacts, type PayloadLayout, payloadLayout } from '../core/payload-layout.js';
import type { PayloadRecipe } from '../core/payload-recipe.js';
import { GZIP_BLOCK_BYTES, gzipped } from './gzip.js';

/**
 * Size of a stored chunk before it is compressed: small enough for constant memory, large enough that statements and hops
 * between threads are few. A million rows take a twentieth more time in chunks of half this size, and more in chunks of
 * twice it (measured).
 */
export const CHUNK_BYTES = 1024 * 1024;

/** So many rows are made into text at once: the event loop is never blocked for more than some milliseconds. */
const ROWS_AT_ONCE = 500;

export interface BodyChunk {
  readonly bytes: Buffer;
  /** Rows that end in this chunk or before it; in the last one, all of them. */
  readonly rowsSoFar: number;
}

/** The body's bytes as they are sent, in chunks of about `CHUNK_BYTES`, as the rows come. */
export function bodyChunks(
  recipe: PayloadRecipe,
  facts: PayloadFacts,
  batches: AsyncIterable<readonly MappingResultRow[]>,
): AsyncGenerator<BodyChunk> {
  const chunks = textChunks(payloadLayout(recipe), facts, batches);
  return recipe.compression === 'gzip' ? gzipChunks(chunks) : chunks;
}

async function* textChunks(
  layout: PayloadLayout,
  facts: PayloadFacts,
  batches: AsyncIterable<readonly MappingResultRow[]>,
): AsyncGenerator<BodyChunk> {
  let pieces: Buffer[] = [Buffer.from(layout.head(facts))];
  let size = pieces[0]?.length ?? 0;
  let rowsSoFar = 0;
  for await (const batch of batches) {
    for (let start = 0; start < batch.length; start += ROWS_AT_ONCE) {
      const slice = batch.slice(start, start + ROWS_AT_ONCE);
      const text = `${rowsSoFar === 0 ? '' : layout.separator}${layout.rows(slice)}`;
      const piece = Buffer.from(text);
      pieces.push(piece);
      size += piece.length;
      rowsSoFar += slice.length;
      if (size >= CHUNK_BYTES) {
        yield { bytes: Buffer.concat(pieces, size), rowsSoFar };
        pieces = [];
        size = 0;
      }
    }
  }
  const tail = Buffer.from(layout.tail(false));
  yield { bytes: Buffer.concat([...pieces, tail], size + tail.length), rowsSoFar };
}

async function* gzipChunks(chunks: AsyncIterable<BodyChunk>): AsyncGenerator<BodyChunk> {
  let rowsSoFar = 0;
  async function* blocks(): AsyncGenerator<Buffer> {
    for await (const { bytes, rowsSoFar: rows } of chunks) {
      rowsSoFar = rows;
      yield bytes;
    }
  }
  for await (const bytes of gzipped(blocks(), GZIP_BLOCK_BYTES)) yield { bytes, rowsSoFar };
}
