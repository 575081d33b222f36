import { RecordSplitter } from './record-splitter.js';
import { checkedRow, type MappingResultRow, PayloadError, type PushFacts } from './results-push.js';
import { DEFAULT_MAX_VALUE_BYTES, type RowScanner, type RowScannerOptions } from './row-scanner.js';

/** Reads a push in JSON lines: one row object per line; the last line also ends with a line break. */
export class JsonLinesScanner implements RowScanner {
  readonly #facts: PushFacts;
  readonly #splitter: RecordSplitter;
  #rowCount = 0;

  /** @param facts the facts from the headers (`factsIn()`) */
  constructor(facts: PushFacts, { maxValueBytes = DEFAULT_MAX_VALUE_BYTES }: RowScannerOptions = {}) {
    this.#facts = facts;
    this.#splitter = new RecordSplitter(maxValueBytes, false);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  push(chunk: Uint8Array): MappingResultRow[] {
    const lines = this.#splitter.push(chunk).split('\n');
    return lines.slice(0, -1).map((line) => checkedRow(this.#parse(line), this.#rowCount++));
  }

  end(): PushFacts {
    if (this.#splitter.isBetweenRecords) return this.#facts;
    throw new PayloadError('payload_truncated', `The body is truncated after ${this.#rowCount} rows.`);
  }

  #parse(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch {
      // The parser's message quotes the body, which must not be logged.
      throw new PayloadError('payload_malformed', `Line ${this.#rowCount + 1} of the body is not valid JSON.`);
    }
  }
}
