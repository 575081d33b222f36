import { inOwnContext } from '../tools/own-context.js';

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Turns single items into batches without waiting for any: a flush starts as soon as the one before is done, and what comes
 * meanwhile is the next batch. An idle system flushes at once, a loaded one in batches that fit the load; a fixed window
 * gave the same throughput and three times the latency, and two flushes side by side half the batch and no more throughput
 * (measured).
 *
 * A flush runs in a context of its own, since its items are several callers'.
 */
export class NaturalBatcher<I, O> {
  readonly #flush: (items: readonly I[]) => Promise<readonly O[]>;
  readonly #maxBatch: number;
  readonly #waiting: Waiting<I, O>[] = [];
  #flushing = false;

  /** @param flush takes the items of a batch and answers with one output per item, in the same order */
  constructor(flush: (items: readonly I[]) => Promise<readonly O[]>, { maxBatch = 256 } = {}) {
    this.#flush = flush;
    this.#maxBatch = maxBatch;
  }

  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // Not at once: what the same turn of the event loop adds belongs to the same batch.
      if (this.#waiting.length === 1) inOwnContext(() => setImmediate(() => this.#next()));
    });
  }

  #next(): void {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#flushing = true;
    void this.#run(this.#waiting.splice(0, this.#maxBatch)).finally(() => {
      this.#flushing = false;
      this.#next();
    });
  }

  async #run(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outputs = await this.#flush(batch.map(({ item }) => item));
      if (outputs.length !== batch.length) throw new Error('flush() must return one output per item');
      batch.forEach(({ resolve }, i) => resolve(outputs[i] as O));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
