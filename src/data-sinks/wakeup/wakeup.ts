/**
 * Tells workers that something is due, never what: the deliveries themselves are rows. A wake-up that gets lost costs
 * latency until the next poll, and nothing else; so none of these calls waits or throws.
 */
export abstract class Wakeup {
  /** @param onWake called for every wake-up that reaches this process; returns at once */
  abstract start(onWake: () => void): Promise<void>;

  /** Something is due now: wakes the worker of this process, or another one when none works here. */
  abstract notify(): void;

  /** More is due than this process takes at once: wakes another one, if there is any. */
  abstract notifyOthers(): void;

  /** Something will be due in so many milliseconds. */
  abstract notifyIn(milliseconds: number): void;

  abstract stop(): Promise<void>;

  /** Whether other processes can be woken now; null where there are none to wake. */
  reachesOthers(): boolean | null {
    return null;
  }
}
