import type { MappingResultRow } from '../domain/job-completed.js';
import { canonicalRow } from '../domain/body/result-row.js';

/** Reads a job's rows once, and divides them into portions. */
export class RowCursor {
  readonly #batches: AsyncIterator<readonly MappingResultRow[]>;
  #batch: readonly MappingResultRow[] = [];
  #at = 0;
  #atEnd = false;

  constructor(batches: AsyncIterable<readonly MappingResultRow[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** The next rows, up to this number. Read a portion to its end before requesting the next. */
  async *take(count: number): AsyncGenerator<readonly MappingResultRow[], void> {
    for (let wanted = count; wanted > 0 && (await this.#hasMore());) {
      const rows = this.#batch.slice(this.#at, this.#at + wanted);
      this.#at += rows.length;
      wanted -= rows.length;
      yield rows;
    }
  }

  /**
   * Skips rows, up to this number.
   * @throws InvalidResultsError when one of them is invalid
   */
  async skip(count: number): Promise<void> {
    for await (const rows of this.take(count)) rows.forEach(canonicalRow);
  }

  /** Closes the host's stream. */
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
