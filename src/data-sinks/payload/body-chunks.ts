import type { MappingResultRow } from '../core/job-completed.js';
import type { PayloadFacts, PayloadLayout } from '../core/payload-layout.js';

/** Uncompressed size of a stored chunk: small enough for constant memory, large enough to compress well. */
export const CHUNK_BYTES = 256 * 1024;

/** So many rows are made into text at once: the event loop is never blocked for more than some milliseconds. */
const ROWS_AT_ONCE = 500;

export interface BodyChunk {
  readonly bytes: Buffer;
  /** Rows that end in this chunk or before it. */
  readonly rowsSoFar: number;
}

/** The body's bytes, in chunks of about `CHUNK_BYTES`, as the rows come. */
export async function* bodyChunks(
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
