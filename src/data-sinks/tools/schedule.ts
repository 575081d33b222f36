import { Cancellation, type StopSignal } from './cancellation.js';

/** Told how a job went. */
export interface JobOutage {
  report(error: unknown): void;
  over(): void;
}

/** One job of a schedule. Its failures do not affect other jobs and are logged once, when they begin. */
export class Job {
  #dueAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  /**
   * @param work stops between two batches when it is told to stop
   * @param everyMs minimum time between two runs, even after a failure: some jobs scan whole tables. 0 for every run of
   *   the schedule
   * @param firstRetryMs after a failure, and twice as long after each more: for jobs that may be done again sooner
   */
  constructor(
    private readonly outage: JobOutage,
    private readonly work: (stop?: StopSignal) => Promise<void>,
    private readonly everyMs = 0,
    private readonly firstRetryMs = everyMs,
  ) {}

  /** Never throws. Failures during shutdown are not logged: the database may already be gone. */
  async run(stop?: StopSignal): Promise<void> {
    if (stop?.aborted) return;
    try {
      await this.work(stop);
      this.#failures = 0;
      this.outage.over();
    } catch (error) {
      this.#failures += 1;
      if (!stop?.aborted) this.outage.report(error);
    }
  }

  async runIfDue(stop: StopSignal): Promise<void> {
    if (performance.now() < this.#dueAt) return;
    await this.run(stop);
    const retryMs = this.firstRetryMs * 2 ** Math.max(this.#failures - 1, 0);
    this.#dueAt = performance.now() + (this.#failures > 0 ? Math.min(retryMs, this.everyMs) : this.everyMs);
  }
}

/** Runs jobs one after the other, at the start and then periodically. */
export class Schedule {
  readonly #stopping = new Cancellation();
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;

  constructor(
    private readonly everyMs: number,
    private readonly jobs: readonly Job[],
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.runDue(), this.everyMs);
    void this.runDue();
  }

  /** Stops the current run after its current job; the next run, of any process, does the rest. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#stopping.abort('shutdown');
    await this.#underWay;
  }

  /** Runs every job that is due, once. Does not start a second run at the same time. Never throws. */
  runDue(): Promise<void> {
    this.#underWay ??= this.#runDueOnce().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  async #runDueOnce(): Promise<void> {
    for (const job of this.jobs) await job.runIfDue(this.#stopping);
  }
}
