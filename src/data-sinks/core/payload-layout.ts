import type { PayloadFormat } from './data-sink.js';
import type { JobCompleted, MappingResultRow } from './job-completed.js';

/**
 * How a job's results become body bytes in one format. The pieces are put together as `head`, then the rows joined by
 * `separator`, then `tail`; the same job always gives the same text, whatever the size of the row batches.
 */
export interface PayloadLayout {
  readonly contentType: string;
  readonly separator: string;
  head(job: PayloadFacts): string;
  /** Some rows, joined; never empty. */
  rows(rows: readonly MappingResultRow[]): string;
  /** @param test marks a synthetic payload (contract, section 4) */
  tail(test: boolean): string;
}

export type PayloadFacts = Pick<JobCompleted, 'jobId' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats'>;

/** A row of the host's results that cannot be sent as it is; trying again would find the same row. */
export class InvalidResultRowError extends Error {
  readonly code = 'results_invalid';
  override readonly name = 'InvalidResultRowError';
}

const json: PayloadLayout = {
  contentType: 'application/json',
  separator: ',',
  head({ jobId, agentId, workspaceId, completedAt, stats: { total, matched, unmatched } }) {
    // JSON.stringify keeps the order in which a literal's keys were written; the contract fixes that order.
    const fields = {
      jobId,
      agentId,
      workspaceId,
      completedAt: formatInstant(completedAt),
      stats: { total, matched, unmatched },
    };
    return `${JSON.stringify(fields).slice(0, -1)},"results":[`;
  },
  rows(rows) {
    return JSON.stringify(rows.map(canonicalRow)).slice(1, -1);
  },
  tail(test) {
    return test ? '],"test":true}' : ']}';
  },
};

const LAYOUTS: Readonly<Record<PayloadFormat, PayloadLayout>> = { JSON: json };

export function payloadLayout(format: PayloadFormat): PayloadLayout {
  return LAYOUTS[format];
}

/** RFC 3339 in UTC, with milliseconds only when there are any: `2026-05-25T12:34:56Z`. */
export function formatInstant(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z');
}

function canonicalRow(row: MappingResultRow): MappingResultRow {
  const { partnerRowId, referenceHotelId, matchMethod, matchConfidence } = row;
  if (typeof partnerRowId !== 'string' || partnerRowId === '') {
    throw new InvalidResultRowError('a row has no partnerRowId');
  }
  return {
    partnerRowId,
    referenceHotelId: textOrNull(referenceHotelId, 'referenceHotelId', partnerRowId),
    matchMethod: textOrNull(matchMethod, 'matchMethod', partnerRowId),
    matchConfidence: confidence(matchConfidence, partnerRowId),
  };
}

function textOrNull(value: unknown, field: string, rowId: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  throw new InvalidResultRowError(`${field} of row ${rowId} is neither a string nor null`);
}

function confidence(value: unknown, rowId: string): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new InvalidResultRowError(`matchConfidence of row ${rowId} is neither a finite number nor null`);
}
