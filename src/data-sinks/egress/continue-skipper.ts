import type { Socket } from 'node:net';

const CONTINUE = Buffer.from('HTTP/1.1 100', 'latin1');
/** A longer `100 Continue` is handed on as it is, and refused there. */
const MAX_BYTES = 16_384;

/** No receiver needs as many; a flood of them at full speed would keep us busy until the deadline. */
export const MAX_INTERIM_ANSWERS = 100;

/**
 * Drops `100 Continue` answers that nobody asked for from what is read of a socket. Some older servers send one before
 * every answer, and HTTP allows it (RFC 9110, 15.2); undici takes it for a broken answer and closes the connection.
 */
export class ContinueSkipper {
  #atStart = false;
  #skipped = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    const read = socket.read.bind(socket) as (size?: number) => unknown;
    // Node itself reads with a size, to keep the stream going; undici reads without one.
    socket.read = (size?: number): unknown => {
      if (size !== undefined || !this.#atStart) return read(size);
      for (;;) {
        const chunk = read();
        if (!Buffer.isBuffer(chunk)) return chunk;
        const passed = this.#pass(Buffer.concat([this.#held, chunk]));
        if (passed) return passed;
      }
    };
  }

  /** Called when a request begins: what is read next is the start of its answer. */
  expectAnswer(): void {
    this.#atStart = true;
    this.#skipped = 0;
    this.#held = Buffer.alloc(0);
  }

  /** What may be handed on, or null when more has to be read first. */
  #pass(bytes: Buffer): Buffer | null {
    let rest = bytes;
    while (startsAlike(rest) && this.#skipped < MAX_INTERIM_ANSWERS) {
      const end = rest.indexOf('\r\n\r\n');
      if (rest.length < CONTINUE.length || (end < 0 && rest.length <= MAX_BYTES)) {
        this.#held = rest;
        return null;
      }
      if (end < 0) break;
      rest = rest.subarray(end + 4);
      this.#skipped += 1;
    }
    this.#atStart = false;
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

function startsAlike(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, CONTINUE.length);
  return bytes.subarray(0, length).equals(CONTINUE.subarray(0, length));
}
