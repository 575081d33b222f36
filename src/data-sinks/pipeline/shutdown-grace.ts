/** After the grace, for what was cut off to be written. */
const AFTER_CUT_OFF_MS = 5_000;

/** How long a worker that is told to stop waits for what it has in hand. Counts from when it is made. */
export class ShutdownGrace {
  readonly #over: Promise<void>;
  readonly #past: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param cutOff what is still under way, when the grace is over */
  constructor(graceMs: number, cutOff: () => void) {
    this.#over = this.#after(graceMs).then(cutOff);
    this.#past = this.#over.then(() => this.#after(AFTER_CUT_OFF_MS));
  }

  /** Waits for what may be cut off. */
  async orOver(work: Promise<unknown> | null): Promise<void> {
    await Promise.race([work, this.#over]);
  }

  /** Waits for what was cut off, too: it is written in a moment, unless the database does not answer. */
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
