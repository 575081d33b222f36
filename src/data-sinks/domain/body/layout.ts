import type { JobCompleted, MappingResultRow, RowField } from '../job-completed.js';

/**
 * The text format of a body: `head`, then the rows joined by `separator`, then `tail`. The same job always gives the
 * same text, whatever the size of the row batches.
 */
export interface PayloadLayout {
  readonly contentType: string;
  /** Whether the body contains the job's facts and the test flag. If not, headers carry them. */
  readonly tellsFacts: boolean;
  readonly separator: string;
  head(job: PayloadFacts): string;
  /** Formats some rows, joined by the separator; never empty. @throws InvalidResultsError */
  rows(rows: readonly MappingResultRow[]): string;
  /** @param test marks a synthetic payload (contract, section 4) */
  tail(test: boolean): string;
}

export type PayloadFacts = Pick<JobCompleted, 'jobId' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats'>;

/** Creates the layout of a format, for all row fields or some of them. */
export type LayoutOf = (fields: readonly RowField[] | null) => PayloadLayout;
