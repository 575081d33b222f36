import { PayloadBeingBuiltError } from './payload-errors.js';
import type { PayloadKey } from './payload-key.js';
import type { PayloadStore } from './payload-store.js';

/**
 * Extends the lease of a build until it is stopped. Writes extend it, too, but a host may take longer than a lease for
 * its first rows or between batches; two workers would then take the build from each other for ever.
 */
export class BuildLease {
  readonly #store: PayloadStore;
  readonly #key: PayloadKey;
  readonly #buildId: string;
  readonly #timer: NodeJS.Timeout;
  #extending = false;
  #taken = false;

  /** @param buildId the id with which the build was started */
  constructor(store: PayloadStore, key: PayloadKey, buildId: string) {
    this.#store = store;
    this.#key = key;
    this.#buildId = buildId;
    // Does not keep an exiting process alive: another worker builds the body.
    this.#timer = setInterval(() => void this.#extend(), store.extendEveryMs).unref();
  }

  /** Call at the end of the build in any case. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Passes items on while the lease is held, even if no write would detect its loss.
   * @throws PayloadBeingBuiltError with the next item after another worker has taken over
   */
  async *whileHeld<T>(items: AsyncIterable<T>): AsyncGenerator<T, void> {
    for await (const item of items) {
      if (this.#taken) throw beingBuilt(this.#key);
      yield item;
    }
  }

  async #extend(): Promise<void> {
    // While an extension is pending, do not start another.
    if (this.#extending || this.#taken) return;
    this.#extending = true;
    try {
      this.#taken = !(await this.#store.extendBuild(this.#key, this.#buildId));
    } catch {
      // The next extension retries. If all fail, the lease expires and later writes are refused.
    } finally {
      this.#extending = false;
    }
  }
}

export function beingBuilt({ jobId, run }: Pick<PayloadKey, 'jobId' | 'run'>): PayloadBeingBuiltError {
  return new PayloadBeingBuiltError(`the body of job ${jobId}, run ${run} is being built by another worker`);
}
