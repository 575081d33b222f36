import type { MappingResultRow } from '../core/job-completed.js';
import { canonicalRow } from '../core/result-row.js';

/** Reads a job's rows once, and gives them out in as many portions as are asked for. */
export class RowCursor {
  readonly #batches: AsyncIterator<readonly MappingResultRow[]>;
  #batch: readonly MappingResultRow[] = [];
  #at = 0;
  #atEnd = false;

  constructor(batches: AsyncIterable<readonly MappingResultRow[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** The next rows, so many or as many as there are. One portion has to be read to its end before the next is begun. */
  async *take(count: number): AsyncGenerator<readonly MappingResultRow[], void> {
    for (let wanted = count; wanted > 0 && (await this.#hasMore());) {
      const rows = this.#batch.slice(this.#at, this.#at + wanted);
      this.#at += rows.length;
      wanted -= rows.length;
      yield rows;
    }
  }

  /**
   * Passes over so many rows, or as many as there are.
   * @throws InvalidResultRowError when one of them could not be sent
   */
  async skip(count: number): Promise<void> {
    for await (const rows of this.take(count)) rows.forEach(canonicalRow);
  }

  /** Tells the host that no more rows are wanted. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  async #hasMore(): Promise<boolean> {
    while (this.#at >= this.#batch.length && !this.#atEnd) {
      const next = await this.#batches.next();
      if (next.done) this.#atEnd = true;
      else [this.#batch, this.#at] = [next.value, 0];
    }
    return this.#at < this.#batch.length;
  }
}
