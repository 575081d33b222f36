import type { Socket } from 'node:net';
import { headEnd, repairedHead } from './answer-head.js';

const INTERIM = Buffer.from('HTTP/1.1 1', 'latin1');
const HTTP = Buffer.from('HTTP/1.', 'latin1');
const SWITCHING = Buffer.from('HTTP/1.1 101', 'latin1');

/** The head of a longer interim response is passed on unchanged; undici then refuses it. */
const MAX_INTERIM_BYTES = 16_384;

/** A head that is longer is refused by the cap of whoever reads it. */
const MAX_HELD_BYTES = 65_536;

/**
 * Maximum number of interim responses. A receiver that sends them without end would keep us busy until the deadline.
 */
export const MAX_INTERIM_ANSWERS = 100;

/**
 * Maximum bytes to read from a socket for one response, framing included: all interim responses, plus head and body at
 * their caps. We count them because undici does not limit reason phrases, blank lines before the response, blanks
 * before a header's value, chunk extensions or leading zeros of a chunk size. It would read any of these without end
 * until the deadline.
 */
export function maxAnswerBytes(caps: { readonly answerBytes: number; readonly answerHeaderBytes: number }): number {
  return MAX_INTERIM_ANSWERS * MAX_INTERIM_BYTES + caps.answerHeaderBytes + caps.answerBytes;
}

/**
 * Sits between a socket and undici. Drops interim responses (1xx): undici closes the connection on a `100 Continue` it
 * did not request, although HTTP allows it (RFC 9110, 15.2) and some older servers send one before every response.
 * Destroys the socket when there are too many interim responses or too many bytes.
 */
export class AnswerReader {
  #atHead = false;
  #skipped = 0;
  #bytes = 0;
  #held: Buffer | null = null;
  #isIrregular = false;
  #onExcess: ((what: string) => void) | null = null;

  constructor(
    private readonly socket: Socket,
    private readonly maxBytes: number,
  ) {
    const read = socket.read.bind(socket) as (size?: number) => unknown;
    // Node calls `read` with a size to keep the stream flowing; undici calls it without one.
    socket.read = (size?: number): unknown => {
      if (size !== undefined) return read(size);
      for (;;) {
        const chunk = read();
        if (!Buffer.isBuffer(chunk)) return chunk;
        this.#bytes += chunk.length;
        if (this.#bytes > this.maxBytes) return this.#exceeded(`an answer of over ${this.maxBytes} bytes`);
        if (!this.#atHead) return chunk;
        const passed = this.#pass(this.#held ? Buffer.concat([this.#held, chunk]) : chunk);
        if (passed) return passed;
        if (this.socket.destroyed) return null;
      }
    };
  }

  /** Whether any bytes were read since the request began, including interim responses. */
  get hasBegun(): boolean {
    return this.#bytes > 0;
  }

  /** Whether the answer's head was repaired: whoever does not keep to one rule may not keep to others. */
  get isIrregular(): boolean {
    return this.#isIrregular;
  }

  /**
   * Starts a request: the next bytes read are the start of its response.
   * @param onExcess called when a limit is exceeded, right before the socket is destroyed
   */
  expectAnswer(onExcess: (what: string) => void): void {
    this.#atHead = true;
    this.#skipped = 0;
    this.#bytes = 0;
    this.#held = null;
    this.#isIrregular = false;
    this.#onExcess = onExcess;
  }

  /** Ends an exchange. Bytes that the receiver sends afterwards still count. */
  expectNothing(): void {
    this.#onExcess = null;
  }

  /** The bytes to pass on, or null when more must be read first. */
  #pass(bytes: Buffer): Buffer | null {
    let rest = bytes;
    this.#held = null;
    while (mayBeInterim(rest)) {
      const end = headEnd(rest);
      if (rest.length < SWITCHING.length || (end < 0 && rest.length <= MAX_INTERIM_BYTES)) {
        this.#held = rest;
        return null;
      }
      if (end < 0) {
        this.#atHead = false;
        return rest;
      }
      this.#skipped += 1;
      if (this.#skipped > MAX_INTERIM_ANSWERS)
        return this.#exceeded(`over ${MAX_INTERIM_ANSWERS} interim answers (1xx)`);
      rest = rest.subarray(end);
    }
    return this.#final(rest);
  }

  /** The head of the final answer, whole. What is no HTTP, or has no end within the cap, is refused by who reads it. */
  #final(bytes: Buffer): Buffer | null {
    const end = headEnd(bytes);
    if (end < 0 && bytes.length <= MAX_HELD_BYTES && startsAlike(bytes, HTTP)) {
      this.#held = bytes;
      return null;
    }
    this.#atHead = false;
    const repaired = end < 0 || !startsAlike(bytes, HTTP) ? null : repairedHead(bytes.subarray(0, end));
    if (!repaired) return bytes;
    this.#isIrregular = true;
    return Buffer.concat([repaired, bytes.subarray(end)]);
  }

  #exceeded(what: string): null {
    this.#held = null;
    this.#onExcess?.(what);
    this.socket.destroy();
    return null;
  }
}

/** `101` is not an interim response: the connection would switch to another protocol. */
function mayBeInterim(bytes: Buffer): boolean {
  return startsAlike(bytes, INTERIM) && !(bytes.length >= SWITCHING.length && startsAlike(bytes, SWITCHING));
}

function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}
