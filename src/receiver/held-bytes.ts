const FIRST_BYTES = 4096;

/**
 * Collects bytes in one growing buffer. The sender chooses the size of a piece, and a list of one-byte pieces would
 * need some hundred times the memory.
 */
export class HeldBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** @param usualMost the buffer doubles up to this size; beyond it, it grows only as needed */
  constructor(private readonly usualMost: number) {}

  get length(): number {
    return this.#length;
  }

  /** Copies the piece, so that the larger chunk it belongs to can be freed. */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) this.#growTo(length);
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** All bytes, without a copy: the next call changes them. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Empties it and keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }

  #growTo(length: number): void {
    const doubled = Math.min(Math.max(this.#buffer.length * 2, FIRST_BYTES), this.usualMost);
    // Not from the pool of small buffers, since this one may be transferred.
    const grown = Buffer.allocUnsafeSlow(Math.max(doubled, length));
    grown.set(this.bytes());
    this.#buffer = grown;
  }
}
