import type { CsvFormulas } from '../data-sink.js';
import type { BodyField, JobCompleted, MappingResultRow } from '../job-completed.js';

/**
 * The text format of a body: `head`, then the rows joined by `separator`, then `tail`. The same job always gives the
 * same text, whatever the size of the row batches.
 */
export interface PayloadLayout {
  readonly separator: string;
  head(job: PayloadFacts): string;
  /**
   * Formats some rows, joined by the separator; never empty.
   * @param job for the fields of a row that are its job's
   * @throws InvalidResultsError
   */
  rows(rows: readonly MappingResultRow[], job: PayloadFacts): string;
  /** @param test marks a synthetic payload (contract, section 4) */
  tail(test: boolean): string;
}

export type PayloadFacts = Pick<JobCompleted, 'jobId' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats' | 'run'>;

/** Creates the layout of a format, for the fields of a row or those chosen. */
export type LayoutOf = (fields: readonly BodyField[] | null, csvFormulas: CsvFormulas) => PayloadLayout;
