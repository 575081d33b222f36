import type { Logger } from '@nestjs/common';
import { OutageLog } from '../core/outage-log.js';

/** One of the things that a sweep does. It fails by itself: the others go on, and the log tells once when it begins to. */
export class SweepStep {
  readonly #outages: OutageLog;

  constructor(
    logger: Logger,
    step: string,
    private readonly work: () => Promise<void>,
  ) {
    this.#outages = new OutageLog(logger, 'sweeper', undefined, { step });
  }

  /** Never throws. */
  async run(): Promise<void> {
    try {
      await this.work();
      this.#outages.over();
    } catch (error) {
      this.#outages.report(error);
    }
  }
}
