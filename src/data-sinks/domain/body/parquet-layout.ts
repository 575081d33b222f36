import type { BodyField, MappingResultRow } from '../job-completed.js';
import type { PayloadFacts } from './layout.js';
import { canonicalRow, fieldsOf, unfit } from './result-row.js';

/** A column of the file, as Parquet's schema describes it. */
export interface ParquetColumn {
  readonly name: BodyField;
  readonly type: 'BYTE_ARRAY' | 'DOUBLE' | 'INT32' | 'INT64';
  readonly repetition_type: 'REQUIRED' | 'OPTIONAL';
  readonly converted_type?: 'UTF8' | 'TIMESTAMP_MILLIS';
  readonly logical_type?:
    | { readonly type: 'STRING' }
    | { readonly type: 'TIMESTAMP'; readonly isAdjustedToUTC: true; readonly unit: 'MILLIS' };
}

/** The values of some rows, one list for each column. */
export type ParquetValues = readonly (readonly (string | number | bigint | null)[])[];

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
const TIME = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MILLIS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
} as const;

/** The schema of docs/receiving.md. Never change a column: whoever has loaded a file expects it. */
const COLUMNS: Readonly<Record<BodyField, ParquetColumn>> = {
  partnerRowId: { name: 'partnerRowId', ...TEXT, repetition_type: 'REQUIRED' },
  referenceHotelId: { name: 'referenceHotelId', ...TEXT, repetition_type: 'OPTIONAL' },
  matchMethod: { name: 'matchMethod', ...TEXT, repetition_type: 'OPTIONAL' },
  matchConfidence: { name: 'matchConfidence', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  jobId: { name: 'jobId', ...TEXT, repetition_type: 'REQUIRED' },
  completedAt: { name: 'completedAt', ...TIME, repetition_type: 'REQUIRED' },
  run: { name: 'run', type: 'INT32', repetition_type: 'REQUIRED' },
};

export function parquetColumns(fields: readonly BodyField[] | null): ParquetColumn[] {
  return fieldsOf(fields).map((field) => COLUMNS[field]);
}

/**
 * Validates rows and turns them into columns.
 * @throws InvalidResultsError naming row and field, also for text that is not UTF-8, which a reader would refuse
 */
export function parquetValues(
  fields: readonly BodyField[] | null,
  rows: readonly MappingResultRow[],
  job: PayloadFacts,
): ParquetValues {
  const canonical = rows.map(canonicalRow);
  const ofJob = {
    jobId: job.jobId.replace(HALF_CHARACTER, '\ufffd'),
    completedAt: BigInt(job.completedAt.getTime()),
    run: job.run ?? 1,
  };
  return fieldsOf(fields).map((field) => {
    if (field === 'jobId' || field === 'completedAt' || field === 'run') return canonical.map(() => ofJob[field]);
    return canonical.map((row) => fitting(field, row[field], row.partnerRowId));
  });
}

/** Half of a surrogate pair, which UTF-8 has no bytes for. */
const HALF_CHARACTER = /\p{Cs}/gu;

function fitting(field: BodyField, value: string | number | null, rowId: string): string | number | null {
  // -0 becomes 0: readers that group by the value would take the two for different ones.
  if (typeof value === 'number') return value + 0;
  if (value !== null && value.search(HALF_CHARACTER) >= 0) {
    throw unfit(field, 'has half of a surrogate pair, which the UTF-8 text of a Parquet file cannot hold', rowId);
  }
  return value;
}
