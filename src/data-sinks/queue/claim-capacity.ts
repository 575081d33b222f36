/** After an attempt ended, wait this long for others to end as well. */
const WAIT_FOR_MORE_MS = 5;

/**
 * Delays the next claim while this process or a limit has too little capacity: a claim per ended attempt would cost
 * nearly as much as one for many.
 */
export class ClaimCapacity {
  readonly #worthAClaim: number;
  readonly #wake: () => void;
  #freed = 0;
  #waiting = false;
  #soon: NodeJS.Timeout | null = null;

  /** @param worthAClaim ended attempts that trigger a claim at once; fewer trigger it after a short wait */
  constructor(worthAClaim: number, wake: () => void) {
    this.#worthAClaim = worthAClaim;
    this.#wake = wake;
  }

  /** Attempts that end from now on may not be visible to the claim. */
  beginClaim(): void {
    this.#freed = 0;
    this.#waiting = false;
    this.stop();
  }

  /** The claim was limited by capacity. */
  wait(): void {
    this.#waiting = true;
    this.#use();
  }

  /** An attempt has ended. */
  freed(): void {
    this.#freed += 1;
    this.#use();
  }

  stop(): void {
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
  }

  #use(): void {
    if (!this.#waiting || this.#freed === 0) return;
    if (this.#freed >= this.#worthAClaim) this.#wake();
    else this.#soon ??= setTimeout(() => this.#wake(), WAIT_FOR_MORE_MS);
  }
}
