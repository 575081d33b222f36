/** Time after the grace period for aborted attempts to be recorded. */
const AFTER_CUT_OFF_MS = 5_000;

/** How long a stopping worker waits for its attempts in flight. Starts when it is created. */
export class ShutdownGrace {
  readonly #over: Promise<void>;
  readonly #past: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param cutOff called when the grace period is over, to abort what is still running */
  constructor(graceMs: number, cutOff: () => void) {
    this.#over = this.#after(graceMs).then(cutOff);
    this.#past = this.#over.then(() => this.#after(AFTER_CUT_OFF_MS));
  }

  /** Waits for work that may be aborted. */
  async orOver(work: Promise<unknown> | null): Promise<void> {
    await Promise.race([work, this.#over]);
  }

  /** Waits for aborted work, too: it is recorded quickly unless the database does not respond. */
  async orPast(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#past]);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => (this.#timer = setTimeout(resolve, ms)));
  }
}
