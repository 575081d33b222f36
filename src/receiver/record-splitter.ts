import { HeldBytes } from './held-bytes.js';
import { PayloadError } from './results-push.js';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** Cuts chunks of bytes, which may end anywhere, where a record ends; holds one chunk and one record at most. */
export class RecordSplitter {
  // A lenient decoder would let bytes that are no UTF-8 pass as U+FFFD; a byte order mark is no part of a record.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #maxBytes: number;
  readonly #knowsQuotes: boolean;
  readonly #held: HeldBytes;
  #inQuotes = false;

  /**
   * @param maxBytes the largest single record
   * @param knowsQuotes whether a line break between quotes is part of a record (CSV)
   */
  constructor(maxBytes: number, knowsQuotes: boolean) {
    this.#held = new HeldBytes(maxBytes);
    this.#maxBytes = maxBytes;
    this.#knowsQuotes = knowsQuotes;
  }

  /** Whether what came so far ends with the end of a record. */
  get isBetweenRecords(): boolean {
    return this.#held.length === 0;
  }

  /** @returns the records that ended within this chunk, as one text that ends with the last one's line break */
  push(chunk: Uint8Array): string {
    const end = this.#knowsQuotes ? this.#endOutsideQuotes(chunk) : chunk.lastIndexOf(LINE_FEED) + 1;
    const whole = chunk.subarray(0, end);
    const text = end === 0 ? '' : this.#decode(Buffer.concat([this.#held.bytes(), whole]));
    if (end > 0) this.#held.clear();
    if (this.#held.length + chunk.length - end > this.#maxBytes) {
      throw new PayloadError('value_too_large', `A single row of the body is larger than ${this.#maxBytes} bytes.`);
    }
    if (end < chunk.length) this.#held.push(chunk.subarray(end));
    return text;
  }

  /** The index after the last line break that is not between quotes; doubled quotes open and close again. */
  #endOutsideQuotes(chunk: Uint8Array): number {
    let end = 0;
    let inQuotes = this.#inQuotes;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === QUOTE) inQuotes = !inQuotes;
      else if (byte === LINE_FEED && !inQuotes) end = i + 1;
    }
    this.#inQuotes = inQuotes;
    return end;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw new PayloadError('payload_malformed', 'The body is not valid UTF-8.');
    }
  }
}
