/**
 * Tells workers that something is due, never what: the deliveries themselves are rows. A wake-up that gets lost costs
 * latency until the next poll, and nothing else; so none of these calls waits or throws.
 */
export abstract class Wakeup {
  /** @param onWake called for every wake-up that reaches this process; returns at once */
  abstract start(onWake: () => void): Promise<void>;

  /** Something is due now. */
  abstract notify(): void;

  /** Something will be due in so many milliseconds. */
  abstract notifyIn(milliseconds: number): void;

  abstract stop(): Promise<void>;
}
