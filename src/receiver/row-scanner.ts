import type { MappingResultRow, PushFacts } from './results-push.js';

/** Reads rows from chunks of bytes that may end anywhere. One for each format. */
export interface RowScanner {
  /** Rows that were given out so far. */
  readonly rowCount: number;
  /**
   * @returns the rows that ended within this chunk
   * @throws PayloadError; the scanner is of no use after that
   */
  push(chunk: Uint8Array): MappingResultRow[];
  /**
   * Call it after the last chunk.
   * @throws PayloadError when the payload is not whole
   */
  end(): PushFacts;
}

export interface RowScannerOptions {
  /**
   * The largest single row or other member, in bytes: the bound of what is held.
   * @default 1 MiB
   */
  readonly maxValueBytes?: number;
}

export const DEFAULT_MAX_VALUE_BYTES = 1024 * 1024;
