import type { PayloadFormat } from './data-sink.js';
import type { JobCompleted, MappingResultRow, RowField } from './job-completed.js';
import { csvLayout } from './layouts/csv-layout.js';
import { jsonLayout } from './layouts/json-layout.js';
import { jsonLinesLayout } from './layouts/json-lines-layout.js';
import type { PayloadRecipe } from './payload-recipe.js';

/**
 * How a job's results become body bytes in one format. The pieces are put together as `head`, then the rows joined by
 * `separator`, then `tail`; the same job always gives the same text, whatever the size of the row batches.
 */
export interface PayloadLayout {
  readonly contentType: string;
  /** Whether the body tells which job it is of, and whether it is a test. Where it cannot, headers do. */
  readonly tellsFacts: boolean;
  readonly separator: string;
  head(job: PayloadFacts): string;
  /** Some rows, joined; never empty. @throws InvalidResultRowError */
  rows(rows: readonly MappingResultRow[]): string;
  /** @param test marks a synthetic payload (contract, section 4) */
  tail(test: boolean): string;
}

export type PayloadFacts = Pick<JobCompleted, 'jobId' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats'>;

/** Makes the layout of a format for some of the row fields, or for all. */
export type LayoutOf = (fields: readonly RowField[] | null) => PayloadLayout;

const LAYOUTS: Readonly<Record<PayloadFormat, LayoutOf>> = {
  JSON: jsonLayout,
  JSONL: jsonLinesLayout,
  CSV: csvLayout,
};

const WITH_ALL_FIELDS: Readonly<Record<PayloadFormat, PayloadLayout>> = {
  JSON: jsonLayout(null),
  JSONL: jsonLinesLayout(null),
  CSV: csvLayout(null),
};

export function payloadLayout({ format, fields }: Pick<PayloadRecipe, 'format' | 'fields'>): PayloadLayout {
  return fields ? LAYOUTS[format](fields) : WITH_ALL_FIELDS[format];
}

/** A whole body of a few rows, such as a test's. */
export function bodyText(
  layout: PayloadLayout,
  facts: PayloadFacts,
  rows: readonly MappingResultRow[],
  test: boolean,
): string {
  return `${layout.head(facts)}${rows.length === 0 ? '' : layout.rows(rows)}${layout.tail(test)}`;
}
