import type { MappingResultRow } from '../domain/job-completed.js';
import type { PayloadFacts, PayloadLayout } from '../domain/body/layout.js';
import { payloadLayout } from '../domain/body/payload-layout.js';
import type { PayloadRecipe } from '../domain/body/payload-recipe.js';
import type { BodyThreadClient } from './body-thread-client.js';
import { GZIP_BLOCK_BYTES, gzipped } from './gzip.js';
import { parquetPieces } from './parquet-pieces.js';
import { type BodyChunk, slicesOfRows } from './row-slices.js';

/**
 * Size of a stored chunk before compression: small enough for constant memory, large enough for few statements and
 * thread hops. A million rows take 5 % longer with half this size, and longer still with twice the size (measured).
 */
export const CHUNK_BYTES = 1024 * 1024;

/**
 * The body's bytes in chunks of about `CHUNK_BYTES`, as rows arrive.
 * @param thread writes Parquet
 */
export function bodyChunks(
  recipe: PayloadRecipe,
  facts: PayloadFacts,
  batches: AsyncIterable<readonly MappingResultRow[]>,
  thread: Pick<BodyThreadClient, 'beginParquet'>,
): AsyncGenerator<BodyChunk> {
  const { format } = recipe;
  if (format === 'PARQUET') return inChunks(parquetPieces(recipe, facts, batches, thread));
  const chunks = inChunks(textPieces(payloadLayout({ ...recipe, format }), facts, batches));
  return recipe.compression === 'gzip' ? gzipChunks(chunks) : chunks;
}

async function* textPieces(
  layout: PayloadLayout,
  facts: PayloadFacts,
  batches: AsyncIterable<readonly MappingResultRow[]>,
): AsyncGenerator<BodyChunk> {
  yield { bytes: Buffer.from(layout.head(facts)), rowsSoFar: 0 };
  let rowsSoFar = 0;
  for await (const rows of slicesOfRows(batches)) {
    const text = `${rowsSoFar === 0 ? '' : layout.separator}${layout.rows(rows, facts)}`;
    rowsSoFar += rows.length;
    yield { bytes: Buffer.from(text), rowsSoFar };
  }
  yield { bytes: Buffer.from(layout.tail(false)), rowsSoFar };
}

/** Joins pieces until they are as large as a chunk. There is always one, which may be empty. */
async function* inChunks(pieces: AsyncIterable<BodyChunk>): AsyncGenerator<BodyChunk> {
  let joined: Buffer[] = [];
  let size = 0;
  let rowsSoFar = 0;
  for await (const piece of pieces) {
    if (size >= CHUNK_BYTES) {
      yield { bytes: Buffer.concat(joined, size), rowsSoFar };
      joined = [];
      size = 0;
    }
    joined.push(piece.bytes);
    size += piece.bytes.length;
    ({ rowsSoFar } = piece);
  }
  yield { bytes: Buffer.concat(joined, size), rowsSoFar };
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
