import { type MappingResultRow, ROW_FIELDS, type RowField } from './job-completed.js';

/** A row of the host's results that cannot be sent as it is; trying again would find the same row. */
export class InvalidResultRowError extends Error {
  readonly code = 'results_invalid';
  override readonly name = 'InvalidResultRowError';
}

/**
 * The row as it is sent: checked, with the contract's fields in the contract's order and nothing else.
 * @throws InvalidResultRowError
 */
export function canonicalRow(row: MappingResultRow): MappingResultRow {
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

/** Makes a function that gives the canonical row, or those of its fields that are wanted. */
export function rowOf(fields: readonly RowField[] | null): (row: MappingResultRow) => Partial<MappingResultRow> {
  if (!fields) return canonicalRow;
  return (row) => {
    const canonical = canonicalRow(row);
    return Object.fromEntries(fields.map((field) => [field, canonical[field]]));
  };
}

export function fieldsOf(fields: readonly RowField[] | null): readonly RowField[] {
  return fields ?? ROW_FIELDS;
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
