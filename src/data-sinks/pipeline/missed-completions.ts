import { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
import { invalidJobCompleted, type JobCompleted } from '../core/job-completed.js';
import { findUnheard } from '../persistence/completion-recording.js';
import type { Session } from '../persistence/database.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { CompletionRefusedError } from './completion-refused.error.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import { TAKEN_APART_MS } from './settle-each.js';
import { within } from './within.js';

const PAGE = 500;

/** Each look goes back this much further than the last one, for transactions that were long in committing. */
const OVERLAP_MS = 600_000;

/** Generous, since it reads a day of jobs at first; not more, since expired leases wait for the sweep to go on. */
const LIST_WITHIN_MS = 30_000;

/**
 * Makes the deliveries of completions whose event was never heard: the host died between its commit and its emit. Only
 * for hosts whose `MappingResults` can list what completed. One that can never be recorded is reported and passed over.
 */
export class MissedCompletions {
  readonly #logger = new Logger('DataSinks');
  #lookedUntilMs: number | null = null;
  /**
   * Looks overlap, and one that ends early begins anew: a completion that cannot be recorded is found again and again, and
   * reported once. Forgotten when a look that read all pages has not found it.
   */
  #refused = new Set<string>();

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
    const refused = new Set<string>();
    const failures: unknown[] = [];
    let whole = false;
    while (!whole) {
      const listed = this.results.listCompletedSince(new Date(sinceMs), afterJobId, PAGE);
      const page: readonly JobCompleted[] = await within(listed, LIST_WITHIN_MS, 'the list of completed jobs');
      if (stop?.aborted) return;
      const begunAt = performance.now();
      failures.push(...(await this.#recordUnheard(page, refused)));
      // What a page waited for in vain is away: each further page would wait as long, and expired leases with it.
      if (failures.length > 0 && performance.now() - begunAt >= TAKEN_APART_MS) break;
      const last = page.findLast((event: JobCompleted | null) => event?.jobId);
      whole = !last || page.length < PAGE;
      afterJobId = last?.jobId ?? null;
    }
    if (whole) this.#refused = refused;
    // Those that another look may record: it begins where this one did.
    if (failures.length > 0) throw failures[0];
    this.#lookedUntilMs = startedMs;
  }

  /** @returns what failed and may not fail again: the others of the page are recorded all the same */
  async #recordUnheard(page: readonly JobCompleted[], refused: Set<string>): Promise<unknown[]> {
    const valid = page.filter((event) => {
      const problem = invalidJobCompleted(event);
      if (problem !== null) this.#refuse(event, `JobCompleted: ${problem}`, refused);
      return problem === null;
    });
    if (valid.length === 0) return [];
    const unheard = await findUnheard(this.session, valid);
    const failures: unknown[] = [];
    const record = async (event: JobCompleted): Promise<void> => {
      try {
        const deliveries = await this.recorder.recordMissed(event);
        if (deliveries > 0) this.#logger.warn({ event: 'completion.recovered', jobId: event.jobId, deliveries });
      } catch (error) {
        if (error instanceof CompletionRefusedError) this.#refuse(event, error.message, refused);
        else failures.push(error);
      }
    };
    await Promise.all(unheard.map(record));
    return failures;
  }

  #refuse(event: JobCompleted | null | undefined, error: string, refused: Set<string>): void {
    const [jobId, name] = [event?.jobId, `${event?.run ?? 1}/${event?.jobId}`];
    if (!this.#refused.has(name)) this.#logger.error({ event: 'completion.not_recorded', jobId, error });
    this.#refused.add(name);
    refused.add(name);
  }
}
