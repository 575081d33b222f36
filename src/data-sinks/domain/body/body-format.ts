import type { PayloadFormat } from '../data-sink.js';

/** What a receiver, a store or a browser is told of a body, whatever its rows. */
export interface BodyFormat {
  readonly contentType: string;
  /** Of a file, without a dot. */
  readonly extension: string;
  /** Whether the body contains the job's facts and the test flag. If not, headers carry them. */
  readonly tellsFacts: boolean;
}

export const BODY_FORMATS: Readonly<Record<PayloadFormat, BodyFormat>> = {
  JSON: { contentType: 'application/json', extension: 'json', tellsFacts: true },
  JSONL: { contentType: 'application/x-ndjson', extension: 'jsonl', tellsFacts: false },
  CSV: { contentType: 'text/csv; charset=utf-8; header=present', extension: 'csv', tellsFacts: false },
  PARQUET: { contentType: 'application/vnd.apache.parquet', extension: 'parquet', tellsFacts: false },
};
