const FIRST_BYTES = 4096;

/**
 * Bytes that came in pieces, in one buffer that grows. The sender chooses how large a piece is, and a list of pieces of
 * one byte would take some hundred times what they hold.
 */
export class HeldBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** @param usualMost where the buffer's growth ends, unless it has to hold more */
  constructor(private readonly usualMost: number) {}

  get length(): number {
    return this.#length;
  }

  /** A copy: a piece is often a part of a larger chunk, which need not stay in memory for it. */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) this.#growTo(length);
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** All of them, not copied: they change with the next call. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The buffer stays, for the next ones. */
  clear(): void {
    this.#length = 0;
  }

  #growTo(length: number): void {
    const doubled = Math.min(Math.max(this.#buffer.length * 2, FIRST_BYTES), this.usualMost);
    // Not from the pool that small buffers share: this one may be given away.
    const grown = Buffer.allocUnsafeSlow(Math.max(doubled, length));
    grown.set(this.bytes());
    this.#buffer = grown;
  }
}
