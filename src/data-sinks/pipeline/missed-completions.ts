import { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
import type { JobCompleted } from '../core/job-completed.js';
import { findUnheard } from '../persistence/completion-recording.js';
import type { Session } from '../persistence/database.js';
import type { MappingResults } from '../ports/mapping-results.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import { within } from './within.js';

const PAGE = 500;

/** Each look goes back this much further than the last one, for transactions that were long in committing. */
const OVERLAP_MS = 600_000;

/** Generous, since it reads a day of jobs at first; not more, since expired leases wait for the sweep to go on. */
const LIST_WITHIN_MS = 30_000;

/**
 * Makes the deliveries of completions whose event was never heard: the host died between its commit and its emit. Only
 * for hosts whose `MappingResults` can list what completed.
 */
export class MissedCompletions {
  readonly #logger = new Logger('DataSinks');
  #lookedUntilMs: number | null = null;

  /**
   * @param nowMs milliseconds since 1970, by the database: a process that is ahead would look where nothing can be yet
   * @param lookBackMs how far the first look after a start goes back
   */
  constructor(
    private readonly session: Session,
    private readonly results: MappingResults,
    private readonly recorder: DeliveryRecorder,
    private readonly nowMs: () => number | Promise<number>,
    private readonly lookBackMs: number,
  ) {}

  async recover(stop?: StopSignal): Promise<void> {
    if (!this.results.listCompletedSince) return;
    const startedMs = await this.nowMs();
    const sinceMs = this.#lookedUntilMs === null ? startedMs - this.lookBackMs : this.#lookedUntilMs - OVERLAP_MS;
    let afterJobId: string | null = null;
    for (;;) {
      const listed = this.results.listCompletedSince(new Date(sinceMs), afterJobId, PAGE);
      const page: readonly JobCompleted[] = await within(listed, LIST_WITHIN_MS, 'the list of completed jobs');
      if (stop?.aborted) return;
      await this.#recordUnheard(page);
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      afterJobId = last.jobId;
    }
    this.#lookedUntilMs = startedMs;
  }

  async #recordUnheard(page: readonly JobCompleted[]): Promise<void> {
    if (page.length === 0) return;
    const unheard = await findUnheard(this.session, page);
    const made = await Promise.all(unheard.map((event) => this.recorder.recordMissed(event)));
    unheard.forEach(({ jobId }, i) => {
      if (made[i]) this.#logger.warn({ event: 'completion.recovered', jobId, deliveries: made[i] });
    });
  }
}
