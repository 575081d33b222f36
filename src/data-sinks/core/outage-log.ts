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
    private readonly fields: Readonly<Record<string, string>> = {},
  ) {}

  report(error: unknown): void {
    if (this.#since !== null) return;
    this.#since = this.now();
    this.logger.error({ event: `${this.what}.unavailable`, ...this.fields, error: String(error) });
  }

  /** Taken before a call that may be answered late, for `over()`. */
  mark(): number {
    return this.now();
  }

  /** @param begunAt when the call began that went well: one from before the outage says nothing about its end */
  over(begunAt: number = this.now()): void {
    if (this.#since === null || begunAt < this.#since) return;
    const afterMs = Math.round(this.now() - this.#since);
    this.logger.log({ event: `${this.what}.available_again`, ...this.fields, afterMs });
    this.#since = null;
  }
}
