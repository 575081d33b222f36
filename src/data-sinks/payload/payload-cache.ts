import { LRUCache } from 'lru-cache';

/** A body larger than this fraction of the cache is streamed instead: it would evict everything else. */
const LARGEST_SHARE = 4;

/** An LRU cache of whole bodies, limited by their total size. */
export class PayloadCache {
  readonly #maxBytes: number;
  readonly #bodies: LRUCache<string, Buffer>;

  /** @param maxBytes 0 keeps none */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bodies = new LRUCache({
      maxSize: Math.max(maxBytes, 1),
      sizeCalculation: ({ length }) => Math.max(length, 1),
    });
  }

  fits(bytes: number): boolean {
    return bytes <= this.#maxBytes / LARGEST_SHARE;
  }

  get(bodyId: string): Buffer | undefined {
    return this.#bodies.get(bodyId);
  }

  clear(): void {
    this.#bodies.clear();
  }

  put(bodyId: string, body: Buffer): void {
    if (this.fits(body.length)) this.#bodies.set(bodyId, body);
  }
}
