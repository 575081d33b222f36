import type { DeliveryClaim, SeenDeliveries } from './seen-deliveries.js';

export interface MemorySeenDeliveriesOptions {
  /**
   * Maximum number of deliveries to remember; the oldest is forgotten first.
   * @default 10000
   */
  readonly maxDeliveries?: number;
  /**
   * How long a delivery is remembered: longer than the sender retries.
   * @default 24 hours
   */
  readonly maxAgeMs?: number;
  /**
   * Milliseconds since 1970.
   * @default Date.now
   */
  readonly now?: () => number;
}

interface Entry {
  readonly state: 'under-way' | 'done';
  readonly at: number;
}

/** For a single process that may lose its memory at a restart. */
export class MemorySeenDeliveries implements SeenDeliveries {
  // A Map keeps insertion order, and entries are always re-inserted, so the oldest comes first.
  readonly #entries = new Map<string, Entry>();
  readonly #maxDeliveries: number;
  readonly #maxAgeMs: number;
  readonly #now: () => number;

  constructor(options: MemorySeenDeliveriesOptions = {}) {
    this.#maxDeliveries = options.maxDeliveries ?? 10_000;
    this.#maxAgeMs = options.maxAgeMs ?? 24 * 60 * 60 * 1000;
    this.#now = options.now ?? Date.now;
  }

  /** Number of remembered deliveries. */
  get size(): number {
    return this.#entries.size;
  }

  async claim(deliveryId: string): Promise<DeliveryClaim> {
    this.#forgetOld();
    const known = this.#entries.get(deliveryId);
    if (known !== undefined) return known.state;
    this.#put(deliveryId, 'under-way');
    return 'new';
  }

  async complete(deliveryId: string): Promise<void> {
    this.#put(deliveryId, 'done');
  }

  async release(deliveryId: string): Promise<void> {
    this.#entries.delete(deliveryId);
  }

  #put(deliveryId: string, state: Entry['state']): void {
    this.#entries.delete(deliveryId);
    this.#entries.set(deliveryId, { state, at: this.#now() });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxDeliveries) break;
      this.#entries.delete(oldest);
    }
  }

  #forgetOld(): void {
    const oldestKept = this.#now() - this.#maxAgeMs;
    for (const [id, { at }] of this.#entries) {
      if (at >= oldestKept) break;
      this.#entries.delete(id);
    }
  }
}
