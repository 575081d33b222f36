import type { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
import { OutageLog } from '../core/outage-log.js';

/** One of the things that a sweep does. It fails by itself: the others go on, and the log tells once when it begins to. */
export class SweepStep {
  readonly #outages: OutageLog;

  constructor(
    logger: Logger,
    step: string,
    private readonly work: (stop?: StopSignal) => Promise<void>,
  ) {
    this.#outages = new OutageLog(logger, 'sweeper', undefined, { step });
  }

  /** Never throws. Of what fails while it is told to stop nothing is said: the database may have been taken away. */
  async run(stop?: StopSignal): Promise<void> {
    if (stop?.aborted) return;
    try {
      await this.work(stop);
      this.#outages.over();
    } catch (error) {
      if (!stop?.aborted) this.#outages.report(error);
    }
  }
}
