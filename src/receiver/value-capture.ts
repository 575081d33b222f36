import { HeldBytes } from './held-bytes.js';
import { PayloadError } from './results-push.js';

/** A complete JSON value. */
export interface Capture {
  readonly bytes: Uint8Array;
  /** Its start in the chunk in which it ends; null when it began in an earlier one. */
  readonly start: number | null;
  /** The index after its last byte, in the chunk in which it ends. */
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** Finds the end of one JSON value across chunks: by strings, brackets, or the byte after a literal. */
export class ValueCapture {
  readonly #held: HeldBytes;
  #start = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(readonly maxBytes: number) {
    this.#held = new HeldBytes(maxBytes);
  }

  /** @param start index of the value's first byte */
  begin(start: number): void {
    this.#start = start;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
  }

  /** Continues from an index; null when the chunk ended first, and its bytes are then held. */
  scan(chunk: Uint8Array, from: number): Capture | null {
    const end = this.#findEnd(chunk, from);
    const piece = chunk.subarray(this.#start, end === -1 ? chunk.length : end);
    if (this.#held.length + piece.length > this.maxBytes) {
      throw new PayloadError('value_too_large', `A single value of the body is larger than ${this.maxBytes} bytes.`);
    }
    if (end === -1) {
      this.#held.push(piece);
      this.#start = 0;
      return null;
    }
    if (this.#held.length === 0) return { bytes: piece, start: this.#start, end };
    const bytes = Buffer.concat([this.#held.bytes(), piece]);
    this.#held.clear();
    return { bytes, start: null, end };
  }

  #findEnd(chunk: Uint8Array, from: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) return i + 1;
        }
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (depth === 0) return i;
        if (--depth === 0) return i + 1;
      } else if (depth === 0 && (byte === COMMA || byte <= SPACE)) {
        return i;
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return -1;
  }
}
