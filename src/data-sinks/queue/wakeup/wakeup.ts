/**
 * Tells workers that something is due, never what: the deliveries are rows. A lost wake-up only costs latency until the
 * next poll, so no method waits or throws.
 */
export abstract class Wakeup {
  /** @param onWake called for every wake-up that reaches this process; must return at once */
  abstract start(onWake: () => void): Promise<void>;

  /** Something is due now: wakes this process's worker, or another one if it has none. */
  abstract notify(): void;

  /** More is due than this process takes at once: wakes another process, if there is one. */
  abstract notifyOthers(): void;

  /** Something will be due in this many milliseconds. */
  abstract notifyIn(milliseconds: number): void;

  abstract stop(): Promise<void>;

  /** Whether other processes can be woken now; null if there are none. */
  reachesOthers(): boolean | null {
    return null;
  }
}
