import { HeldBytes } from './held-bytes.js';
import { PayloadError } from './results-push.js';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** Splits chunks, which may end anywhere, at record ends; holds at most one chunk and one record. */
export class RecordSplitter {
  // Fatal, because a lenient decoder would turn invalid UTF-8 into U+FFFD. A byte order mark is not part of a record.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #maxBytes: number;
  readonly #knowsQuotes: boolean;
  readonly #held: HeldBytes;
  #inQuotes = false;

  /**
   * @param maxBytes maximum size of a record
   * @param knowsQuotes whether a line break between quotes is part of a record (CSV)
   */
  constructor(maxBytes: number, knowsQuotes: boolean) {
    this.#held = new HeldBytes(maxBytes);
    this.#maxBytes = maxBytes;
    this.#knowsQuotes = knowsQuotes;
  }

  /** Whether the input so far ends at the end of a record. */
  get isBetweenRecords(): boolean {
    return this.#held.length === 0;
  }

  /** @returns the complete records of this chunk as one text, including the last line break */
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

  /** The index after the last line break outside quotes; a doubled quote closes and reopens. */
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
