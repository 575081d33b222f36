import { Inject, Injectable } from '@nestjs/common';
import { keyText } from '../domain/key-text.js';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { StopSignal } from '../tools/cancellation.js';
import { invalidJobCompleted, type JobCompleted } from '../domain/job-completed.js';
import { findUnheard } from './delivery-recorder.sql.js';
import { Database } from '../database/database.js';
import { MappingResults } from '../ports/mapping-results.js';
import { CompletionRefusedError } from './completion-refused.error.js';
import { DeliveryRecorder } from './delivery-recorder.js';
import { SPLIT_LIMIT_MS } from './split-failed-batch.js';
import { notRecordedLine } from './no-delivery.js';
import { EventLog } from '../tools/event-log.js';
import { IDS_IN_A_LINE } from '../tools/log-line.js';

const PAGE = 500;

/** Each run goes back this much further than the last, for transactions that committed late. */
const OVERLAP_MS = 600_000;

/**
 * Creates the deliveries of missed completions: the host died between its commit and its emit. Only for hosts whose
 * `MappingResults` can list completed jobs. A completion that can never be recorded is reported and skipped.
 */
@Injectable()
export class MissedCompletions {
  readonly #logger = new EventLog();
  #lookedUntilMs: number | null = null;
  /**
   * Completions that were reported. Runs overlap, and an aborted run starts again, so the same one is found repeatedly
   * but reported once. Forgotten when a complete run no longer finds it.
   */
  #refused = new Set<string>();

  /** @param nowMs milliseconds since 1970, by the database's clock: a clock that is ahead would skip completions */
  constructor(
    private readonly database: Database,
    private readonly results: MappingResults,
    private readonly recorder: DeliveryRecorder,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  async recover(stop?: StopSignal): Promise<void> {
    if (!this.results.listCompletedSince) return;
    const startedMs = await this.database.now();
    const sinceMs =
      this.#lookedUntilMs === null ? startedMs - this.options.missedCompletionsMs : this.#lookedUntilMs - OVERLAP_MS;
    let after: JobCompleted | null = null;
    const refused = new Set<string>();
    const failures: unknown[] = [];
    let whole = false;
    while (!whole) {
      const page: readonly JobCompleted[] = await this.results.listCompletedSince(new Date(sinceMs), after, PAGE);
      if (stop?.aborted) return;
      const begunAt = performance.now();
      failures.push(...(await this.#recordUnheard(page, refused)));
      // When a page times out, a service is unavailable: every further page would also time out, and delay expired
      // leases.
      if (failures.length > 0 && performance.now() - begunAt >= SPLIT_LIMIT_MS) break;
      const last: JobCompleted | null = page.findLast((event: JobCompleted | null) => event?.jobId) ?? null;
      // A host that returns the same page again would be called for ever.
      whole = !last || page.length < PAGE || (after !== null && nameOf(last) === nameOf(after));
      after = last;
    }
    if (whole) this.#refused = refused;
    // The next run starts at the same time, since these may be recorded then.
    if (failures.length > 0) throw failures[0];
    this.#lookedUntilMs = startedMs;
  }

  /** @returns the failures that may be temporary; the others of the page are recorded */
  async #recordUnheard(page: readonly JobCompleted[], refused: Set<string>): Promise<unknown[]> {
    const valid = page.filter((event) => {
      const problem = invalidJobCompleted(event);
      if (problem !== null) this.#refuse(event, `JobCompleted: ${problem}`, refused);
      return problem === null;
    });
    if (valid.length === 0) return [];
    const unheard = await findUnheard(this.database, valid);
    const failures: unknown[] = [];
    const recovered: string[] = [];
    let made = 0;
    const record = async (event: JobCompleted): Promise<void> => {
      try {
        const deliveries = await this.recorder.recordMissed(event);
        if (deliveries === 0) return;
        recovered.push(event.jobId);
        made += deliveries;
      } catch (error) {
        if (error instanceof CompletionRefusedError) this.#refuse(event, error.message, refused);
        else failures.push(error);
      }
    };
    await Promise.all(unheard.map(record));
    if (made > 0) {
      this.#logger.warn({
        event: 'completion.recovered',
        message: `nobody heard that ${recovered.length} jobs had finished; the sweep found them and made ${made} deliveries`,
        ...{ completions: recovered.length, deliveries: made, jobIds: recovered.slice(0, IDS_IN_A_LINE) },
      });
    }
    return failures;
  }

  #refuse(event: JobCompleted | null | undefined, error: string, refused: Set<string>): void {
    const { workspaceId, jobId } = event ?? {};
    const name = nameOf(event);
    if (!this.#refused.has(name)) this.#logger.error(notRecordedLine(workspaceId, jobId, error));
    this.#refused.add(name);
    refused.add(name);
  }
}

/** For jobs of any shape, as a host may list them. */
function nameOf(event: JobCompleted | null | undefined): string {
  return keyText(String(event?.workspaceId), String(event?.jobId), String(event?.run ?? 1));
}
