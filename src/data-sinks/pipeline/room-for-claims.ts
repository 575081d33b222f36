/** After an attempt that made room, others are given so long to make some as well. */
const WAIT_FOR_MORE_MS = 5;

/**
 * When more was due than there was room for, in this process or under a cap, the next claim waits until attempts have
 * ended: one claim for each of them would cost nearly as much as one for many.
 */
export class RoomForClaims {
  readonly #worthAClaim: number;
  readonly #wake: () => void;
  #made = 0;
  #waiting = false;
  #soon: NodeJS.Timeout | null = null;

  /** @param worthAClaim room for so many is used at once, for fewer in a moment */
  constructor(worthAClaim: number, wake: () => void) {
    this.#worthAClaim = worthAClaim;
    this.#wake = wake;
  }

  /** What is made from now on, the claim may not see. */
  beginClaim(): void {
    this.#made = 0;
    this.#waiting = false;
    this.stop();
  }

  /** The claim has found too little room. */
  wait(): void {
    this.#waiting = true;
    this.#use();
  }

  /** An attempt has ended. */
  made(): void {
    this.#made += 1;
    this.#use();
  }

  stop(): void {
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
  }

  #use(): void {
    if (!this.#waiting || this.#made === 0) return;
    if (this.#made >= this.#worthAClaim) this.#wake();
    else this.#soon ??= setTimeout(() => this.#wake(), WAIT_FOR_MORE_MS);
  }
}
