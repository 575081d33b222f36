import type { MappingResultRow, PushFacts } from './results-push.js';

/** Reads rows from chunks that may end anywhere. There is one for each format. */
export interface RowScanner {
  /** Number of rows returned so far. */
  readonly rowCount: number;
  /**
   * @returns the rows that are complete after this chunk
   * @throws PayloadError; do not use the scanner afterwards
   */
  push(chunk: Uint8Array): MappingResultRow[];
  /**
   * Call after the last chunk.
   * @throws PayloadError when the payload is incomplete
   */
  end(): PushFacts;
}

export interface RowScannerOptions {
  /**
   * Maximum size of a row or member in bytes; limits the memory used.
   * @default 1 MiB
   */
  readonly maxValueBytes?: number;
}

export const DEFAULT_MAX_VALUE_BYTES = 1024 * 1024;
