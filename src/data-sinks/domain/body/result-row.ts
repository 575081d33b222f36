import { type BodyField, type MappingResultRow, ROW_FIELDS } from '../job-completed.js';
import { describeType } from '../describe-type.js';
import { formatInstant } from '../instant.js';
import type { PayloadFacts } from './layout.js';

/**
 * The host's results are invalid: not batches of rows, a wrong field, or a row count other than `stats.total`. A retry
 * would find the same, so the delivery ends `FAILED` with reason `results_invalid`.
 */
export class InvalidResultsError extends Error {
  readonly code = 'results_invalid';
  override readonly name = 'InvalidResultsError';
}

/**
 * Validates a row and returns it with only the contract's fields, in the contract's order.
 * @throws InvalidResultsError
 */
export function canonicalRow(row: MappingResultRow): MappingResultRow {
  if (typeof row !== 'object' || (row as unknown) === null) {
    throw invalid(`that is ${describeType(row)}; it must be an object`);
  }
  const { partnerRowId, referenceHotelId, matchMethod, matchConfidence } = row;
  if (typeof partnerRowId !== 'string' || partnerRowId === '') {
    throw invalid('without a partnerRowId; it must be a non-empty string');
  }
  return {
    partnerRowId,
    referenceHotelId: textOrNull(referenceHotelId, 'referenceHotelId', partnerRowId),
    matchMethod: textOrNull(matchMethod, 'matchMethod', partnerRowId),
    matchConfidence: confidence(matchConfidence, partnerRowId),
  };
}

/** A row as it is sent: the chosen fields, in the contract's order. */
export type SentRow = Readonly<Partial<Record<BodyField, string | number | null>>>;

/** Creates a function that returns the validated row with the chosen fields, its own and its job's. */
export function rowOf(fields: readonly BodyField[] | null): (row: MappingResultRow, job: PayloadFacts) => SentRow {
  if (!fields) return canonicalRow;
  return (row, { jobId, completedAt, run = 1 }) => {
    const known = { ...canonicalRow(row), jobId, completedAt: formatInstant(completedAt), run };
    return Object.fromEntries(fields.map((field) => [field, known[field]]));
  };
}

export function fieldsOf(fields: readonly BodyField[] | null): readonly BodyField[] {
  return fields ?? ROW_FIELDS;
}

/** For a format that cannot hold what others can. @param field of the row with this id */
export function unfit(field: BodyField, problem: string, rowId: string): InvalidResultsError {
  return invalid(`whose ${field} ${problem}`, rowId);
}

function textOrNull(value: unknown, field: string, rowId: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  throw invalid(`whose ${field} is ${describeType(value)}; it must be a string or null`, rowId);
}

function confidence(value: unknown, rowId: string): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  const what = typeof value === 'number' ? String(value) : describeType(value);
  throw invalid(`whose matchConfidence is ${what}; it must be a number from 0 to 1, or null`, rowId);
}

function invalid(what: string, rowId?: string): InvalidResultsError {
  return new InvalidResultsError(`MappingResults.streamRows() gave ${rowId ? `row ${rowId}` : 'a row'} ${what}`);
}
