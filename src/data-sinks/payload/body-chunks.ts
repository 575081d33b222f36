import type { MappingResultRow } from '../domain/job-completed.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import type { PayloadLayout } from '../domain/body/layout.js';
import { payloadLayout } from '../domain/body/payload-layout.js';
import type { PayloadRecipe } from '../domain/body/payload-recipe.js';
import { GZIP_BLOCK_BYTES, gzipped } from './gzip.js';

/**
 * Size of a stored chunk before compression: small enough for constant memory, large enough for few statements and
 * thread hops. A million rows take 5 % longer with half this size, and longer still with twice the size (measured).
 */
export const CHUNK_BYTES = 1024 * 1024;

/** Rows formatted at once, so that the event loop is blocked for a few milliseconds at most. */
const ROWS_AT_ONCE = 500;

export interface BodyChunk {
  readonly bytes: Buffer;
  /** Number of rows that end in this chunk or before; all of them in the last chunk. */
  readonly rowsSoFar: number;
}

/** The body's bytes in chunks of about `CHUNK_BYTES`, as rows arrive. */
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
