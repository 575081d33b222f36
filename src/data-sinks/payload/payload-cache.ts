/** A body larger than this share of the cache is streamed instead: it would push out everything else. */
const LARGEST_SHARE = 4;

/** Whole bodies in memory, least recently used first to go, bounded by their bytes. */
export class PayloadCache {
  readonly #maxBytes: number;
  readonly #bodies = new Map<string, Buffer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  fits(bytes: number): boolean {
    return bytes <= this.#maxBytes / LARGEST_SHARE;
  }

  get(bodyId: string): Buffer | undefined {
    const body = this.#bodies.get(bodyId);
    if (body) {
      this.#bodies.delete(bodyId);
      this.#bodies.set(bodyId, body);
    }
    return body;
  }

  clear(): void {
    this.#bodies.clear();
    this.#bytes = 0;
  }

  put(bodyId: string, body: Buffer): void {
    if (!this.fits(body.length) || this.#bodies.has(bodyId)) return;
    this.#bodies.set(bodyId, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#bodies.delete(oldest);
      this.#bytes -= length;
    }
  }
}
