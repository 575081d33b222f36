/** As much of a logger as is needed here. */
export interface EventLogger {
  log(event: Readonly<Record<string, unknown>>): void;
  error(event: Readonly<Record<string, unknown>>): void;
}

/** Says once that something is away and once that it is back, not once a second. */
export class OutageLog {
  #since: number | null = null;

  constructor(
    private readonly logger: EventLogger,
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
