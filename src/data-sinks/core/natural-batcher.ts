interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns single items into batches without waiting for any: a flush starts as soon as a flusher is free, and what comes
 * meanwhile is the next batch. An idle system flushes at once, a loaded one in batches that fit the load; a fixed window
 * gave the same throughput and three times the latency (measured).
 *
 * A second flush beside the first is begun only for a batch that is worth it: many small ones cost more than they save.
 */
export class NaturalBatcher<I, O> {
  readonly #flush: (items: readonly I[]) => Promise<readonly O[]>;
  readonly #maxBatch: number;
  readonly #flushers: number;
  readonly #worthAnother: number;
  readonly #waiting: Waiting<I, O>[] = [];
  #freeFlushers: number;

  /**
   * @param flush takes the items of a batch and answers with one output per item, in the same order
   * @param flushers at most so many flushes at a time
   * @param worthAnother so many items must wait for a flush to be begun beside another one
   */
  constructor(
    flush: (items: readonly I[]) => Promise<readonly O[]>,
    { maxBatch = 256, flushers = 2, worthAnother = 64 } = {},
  ) {
    this.#flush = flush;
    this.#maxBatch = maxBatch;
    this.#flushers = flushers;
    this.#worthAnother = Math.min(worthAnother, maxBatch);
    this.#freeFlushers = flushers;
  }

  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // Not at once: what the same turn of the event loop adds belongs to the same batch.
      const { length } = this.#waiting;
      if (length === 1 || length === this.#worthAnother) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    while (this.#freeFlushers > 0 && this.#waiting.length >= this.#wanted()) {
      const batch = this.#waiting.splice(0, this.#maxBatch);
      this.#freeFlushers--;
      void this.#run(batch).finally(() => {
        this.#freeFlushers++;
        this.#next();
      });
    }
  }

  #wanted(): number {
    return this.#freeFlushers < this.#flushers ? this.#worthAnother : 1;
  }

  async #run(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outputs = await this.#flush(batch.map(({ item }) => item));
      if (outputs.length !== batch.length) throw new Error('a batch must be answered item by item');
      batch.forEach(({ resolve }, i) => resolve(outputs[i] as O));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
