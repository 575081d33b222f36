import type { Socket } from 'node:net';

const INTERIM = Buffer.from('HTTP/1.1 1', 'latin1');
const SWITCHING = Buffer.from('HTTP/1.1 101', 'latin1');

/** The head of an interim answer that is longer is handed on as it is, and refused there. */
const MAX_INTERIM_BYTES = 16_384;

/** No receiver needs as many; a flood of them at full speed would keep us busy until the deadline. */
export const MAX_INTERIM_ANSWERS = 100;

/**
 * What may be read of a socket for one answer, framing and all: every interim answer there may be, and its head and body
 * at their caps. It has to be counted here: undici counts neither a reason phrase nor blank lines before the answer,
 * blanks before a header's value, extensions of a chunk or zeros before its size, and would read an endless one of them
 * at full speed until the deadline.
 */
export function maxAnswerBytes(caps: { readonly answerBytes: number; readonly answerHeaderBytes: number }): number {
  return MAX_INTERIM_ANSWERS * MAX_INTERIM_BYTES + caps.answerHeaderBytes + caps.answerBytes;
}

/**
 * Stands between a socket and undici. Drops interim answers (1xx): nobody needs them, and for a `100 Continue` that it did
 * not ask for undici closes the connection, though some older servers send one before every answer and HTTP allows it
 * (RFC 9110, 15.2). Ends what is no answer any more: too many of them, or too many bytes.
 */
export class AnswerReader {
  #atHead = false;
  #skipped = 0;
  #bytes = 0;
  #held: Buffer | null = null;
  #onExcess: ((what: string) => void) | null = null;

  constructor(
    private readonly socket: Socket,
    private readonly maxBytes: number,
  ) {
    const read = socket.read.bind(socket) as (size?: number) => unknown;
    // Node itself reads with a size, to keep the stream going; undici reads without one.
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

  /**
   * Called when a request begins: what is read next is the start of its answer.
   * @param onExcess told when it is no answer any more; the socket is destroyed right after
   */
  expectAnswer(onExcess: (what: string) => void): void {
    this.#atHead = true;
    this.#skipped = 0;
    this.#bytes = 0;
    this.#held = null;
    this.#onExcess = onExcess;
  }

  /** Called when the exchange is over. What the receiver sends unasked still counts. */
  expectNothing(): void {
    this.#onExcess = null;
  }

  /** What may be handed on, or null when more has to be read first. */
  #pass(bytes: Buffer): Buffer | null {
    let rest = bytes;
    this.#held = null;
    while (mayBeInterim(rest)) {
      const end = rest.indexOf('\r\n\r\n');
      if (rest.length < SWITCHING.length || (end < 0 && rest.length <= MAX_INTERIM_BYTES)) {
        this.#held = rest;
        return null;
      }
      if (end < 0) break;
      this.#skipped += 1;
      if (this.#skipped > MAX_INTERIM_ANSWERS)
        return this.#exceeded(`over ${MAX_INTERIM_ANSWERS} interim answers (1xx)`);
      rest = rest.subarray(end + 4);
    }
    this.#atHead = false;
    return rest;
  }

  #exceeded(what: string): null {
    this.#held = null;
    this.#onExcess?.(what);
    this.socket.destroy();
    return null;
  }
}

/** `101` is no interim answer: after it the connection would speak something else. */
function mayBeInterim(bytes: Buffer): boolean {
  return startsAlike(bytes, INTERIM) && !(bytes.length >= SWITCHING.length && startsAlike(bytes, SWITCHING));
}

function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}
