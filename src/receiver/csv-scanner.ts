import { type CsvField, csvRecords } from './csv-records.js';
import { RecordSplitter } from './record-splitter.js';
import { checkedRow, invalidRow, type MappingResultRow, PayloadError, type PushFacts } from './results-push.js';
import { DEFAULT_MAX_VALUE_BYTES, type RowScanner, type RowScannerOptions } from './row-scanner.js';

/** The numeric columns; all others are text. */
const NUMBERS: ReadonlySet<string> = new Set(['matchConfidence', 'run']);

/**
 * Reads a push in CSV: a header row, then one record per row. An empty field is null, an empty pair of quotes an empty
 * text. Removes the apostrophe with which the sender protects spreadsheets from formulas, unless it says that there is none.
 */
export class CsvScanner implements RowScanner {
  readonly #facts: PushFacts;
  readonly #splitter: RecordSplitter;
  readonly #hasApostrophes: boolean;
  #columns: readonly string[] | null = null;
  #rowCount = 0;

  /** @param facts the facts from the headers (`factsIn()`) */
  constructor(
    facts: PushFacts,
    {
      maxValueBytes = DEFAULT_MAX_VALUE_BYTES,
      csvFormulas = 'escape',
    }: RowScannerOptions & { readonly csvFormulas?: 'escape' | 'raw' } = {},
  ) {
    this.#facts = facts;
    this.#splitter = new RecordSplitter(maxValueBytes, true);
    this.#hasApostrophes = csvFormulas === 'escape';
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  push(chunk: Uint8Array): MappingResultRow[] {
    const records = csvRecords(this.#splitter.push(chunk));
    if (!records) throw malformed(`near row ${this.#rowCount} (counted from 0) there is no valid CSV`);
    if (records.length === 0) return [];
    this.#columns ??= columnsOf(records.shift() ?? []);
    const columns = this.#columns;
    return records.map((fields) => checkedRow(this.#row(columns, fields), this.#rowCount++));
  }

  end(): PushFacts {
    if (this.#splitter.isBetweenRecords && this.#columns) return this.#facts;
    const told = this.#columns ? `is truncated after ${this.#rowCount} rows` : 'has no header row';
    throw new PayloadError('payload_truncated', `The body ${told}.`);
  }

  #row(columns: readonly string[], fields: readonly CsvField[]): Record<string, string | number | null> {
    if (fields.length !== columns.length) {
      throw malformed(
        `row ${this.#rowCount} (counted from 0) has ${fields.length} fields, the header ${columns.length}`,
      );
    }
    return Object.fromEntries(
      columns.map((column, i): [string, string | number | null] => {
        const field = fields[i] ?? null;
        if (field === null) return [column, null];
        if (NUMBERS.has(column)) return [column, this.#number(column, field)];
        return [column, this.#hasApostrophes ? withoutApostrophe(field) : field];
      }),
    );
  }

  #number(column: string, field: string): number {
    if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(field)) return Number(field);
    throw invalidRow(this.#rowCount, `has a ${column} that is not a number`);
  }
}

function columnsOf(record: readonly CsvField[]): string[] {
  const columns = record.map((name) => name ?? '');
  if (columns.includes('partnerRowId') && new Set(columns).size === columns.length) return columns;
  throw malformed('its first line does not name its columns');
}

/** Must be identical to the sender's list of formula prefixes. */
const LOOKS_LIKE_A_FORMULA = /^[\s"'\p{Cf}]*[=+\-@\t\r\n\0＝＋－＠]/u;

function withoutApostrophe(text: string): string {
  return text.startsWith("'") && LOOKS_LIKE_A_FORMULA.test(text.slice(1)) ? text.slice(1) : text;
}

function malformed(what: string): PayloadError {
  return new PayloadError('payload_malformed', `The body is not the CSV of a push: ${what}.`);
}
