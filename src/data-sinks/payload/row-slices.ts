import type { MappingResultRow } from '../domain/job-completed.js';

/** Some bytes of a body. */
export interface BodyChunk {
  readonly bytes: Buffer;
  /** Number of rows that end in these bytes or before; all of them in the last ones. */
  readonly rowsSoFar: number;
}

/** Rows formatted at once, so that the event loop is blocked for a few milliseconds at most. */
const ROWS_AT_ONCE = 500;

/** Rows in portions that are formatted at once. */
export async function* slicesOfRows(
  batches: AsyncIterable<readonly MappingResultRow[]>,
): AsyncGenerator<readonly MappingResultRow[]> {
  for await (const batch of batches) {
    for (let start = 0; start < batch.length; start += ROWS_AT_ONCE) yield batch.slice(start, start + ROWS_AT_ONCE);
  }
}
