import { PayloadBeingBuiltError } from './payload-errors.js';
import type { PayloadKey, PayloadStore } from './payload-store.js';

/**
 * Keeps the lease of a build that has begun until it is stopped. Writes extend it too, but a host may take longer than a
 * lease for its first rows or between two batches: two workers would take such a build from each other for ever.
 */
export class BuildLease {
  readonly #store: Pick<PayloadStore, 'extendBuild'>;
  readonly #key: PayloadKey;
  readonly #buildId: string;
  readonly #timer: NodeJS.Timeout;
  #extending = false;
  #taken = false;

  /** @param buildId as it was begun with */
  constructor(store: Pick<PayloadStore, 'extendBuild' | 'extendEveryMs'>, key: PayloadKey, buildId: string) {
    this.#store = store;
    this.#key = key;
    this.#buildId = buildId;
    // A process that is about to end does not stay for it: another worker makes the body.
    this.#timer = setInterval(() => void this.#extend(), store.extendEveryMs).unref();
  }

  /** At the end of the build, whatever it was. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * What comes, as long as the build is ours: also where nothing is written that would be refused.
   * @throws PayloadBeingBuiltError with the next item when another worker took over
   */
  async *whileHeld<T>(items: AsyncIterable<T>): AsyncGenerator<T, void> {
    for await (const item of items) {
      if (this.#taken) throw beingBuilt(this.#key);
      yield item;
    }
  }

  async #extend(): Promise<void> {
    // A database that is slow to answer one gets no second question.
    if (this.#extending || this.#taken) return;
    this.#extending = true;
    try {
      this.#taken = !(await this.#store.extendBuild(this.#key, this.#buildId));
    } catch {
      // The next one tries again; if none gets through, the lease runs out, and what is written later is refused.
    } finally {
      this.#extending = false;
    }
  }
}

export function beingBuilt({ jobId, run }: Pick<PayloadKey, 'jobId' | 'run'>): PayloadBeingBuiltError {
  return new PayloadBeingBuiltError(`what is sent of job ${jobId}, run ${run} is being made by another worker`);
}
