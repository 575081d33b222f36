import type { Logger } from '@nestjs/common';

/** Says once that something is away and once that it is back, not once a second. */
export class OutageLog {
  #since: number | null = null;

  constructor(
    private readonly logger: Logger,
    private readonly what: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  report(error: unknown): void {
    if (this.#since !== null) return;
    this.#since = this.now();
    this.logger.error({ event: `${this.what}.unavailable`, error: String(error) });
  }

  over(): void {
    if (this.#since === null) return;
    this.logger.log({ event: `${this.what}.available_again`, afterMs: Math.round(this.now() - this.#since) });
    this.#since = null;
  }
}
