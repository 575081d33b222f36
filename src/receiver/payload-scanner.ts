import { malformed, PushMembers } from './push-members.js';
import type { MappingResultRow, PushFacts } from './results-push.js';
import { checkedRow, PayloadError } from './results-push.js';
import { DEFAULT_MAX_VALUE_BYTES, type RowScanner, type RowScannerOptions } from './row-scanner.js';
import type { Capture } from './value-capture.js';
import { ValueCapture } from './value-capture.js';

/** Position in the document. In the `*-or-end` states no comma has come yet, so the list may also be empty. */
type Place =
  'start' | 'key-or-end' | 'key' | 'colon' | 'value' | 'after-value' | 'row-or-end' | 'row' | 'after-row' | 'end';

/** Adjacent rows of a chunk are parsed together, about this many bytes at a time, to make fewer calls. */
const RUN_BYTES = 256 * 1024;

/**
 * Reads a push in JSON from chunks that may end anywhere; holds at most one chunk and one value. It only finds where
 * values begin and end and leaves their syntax to JSON.parse. It therefore accepts what JSON.parse accepts, except
 * duplicate members and more members than a push can have.
 */
export class PayloadScanner implements RowScanner {
  readonly #members: PushMembers;
  readonly #capture: ValueCapture;
  // Fatal, because a lenient decoder would turn invalid UTF-8 into U+FFFD. A byte order mark is not JSON either.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #place: Place = 'start';
  #capturing: 'key' | 'member' | 'row' | null = null;
  #key = '';
  #rowCount = 0;

  constructor({ maxValueBytes = DEFAULT_MAX_VALUE_BYTES }: RowScannerOptions = {}) {
    this.#members = new PushMembers(maxValueBytes);
    this.#capture = new ValueCapture(maxValueBytes);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  push(chunk: Uint8Array): MappingResultRow[] {
    const rows: MappingResultRow[] = [];
    let run: { start: number; end: number } | null = null;
    let i = 0;
    while (i < chunk.length) {
      if (this.#capturing === null) {
        if (this.#enter(chunk[i] ?? 0)) this.#capture.begin(i);
        else i++;
        continue;
      }
      const value = this.#capture.scan(chunk, i);
      if (value === null) break;
      i = value.end;
      if (this.#capturing === 'row' && value.start !== null) {
        run = { start: run === null ? value.start : run.start, end: value.end };
        this.#capturing = null;
        this.#place = 'after-row';
        if (run.end - run.start < RUN_BYTES) continue;
        this.#addRows(rows, chunk.subarray(run.start, run.end));
        run = null;
      } else {
        this.#finish(value, rows);
      }
    }
    if (run !== null) this.#addRows(rows, chunk.subarray(run.start, run.end));
    return rows;
  }

  end(): PushFacts {
    if (this.#place !== 'end') {
      throw new PayloadError(
        'payload_truncated',
        this.#place === 'start' ? 'The body is empty.' : `The body is truncated after ${this.#rowCount} rows.`,
      );
    }
    return this.#members.facts();
  }

  /** Processes one byte between values. @returns whether a value begins with it */
  #enter(byte: number): boolean {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return false;
    const char = String.fromCharCode(byte);
    switch (this.#place) {
      case 'start':
        if (char === '{') return this.#move('key-or-end');
        break;
      case 'key-or-end':
      case 'key':
        if (char === '"') return this.#begin('key');
        if (char === '}' && this.#place === 'key-or-end') return this.#move('end');
        break;
      case 'colon':
        if (char === ':') return this.#move('value');
        break;
      case 'value':
        return this.#enterValue(char);
      case 'after-value':
        if (char === ',') return this.#move('key');
        if (char === '}') return this.#move('end');
        break;
      case 'row-or-end':
      case 'row':
        if (char === '{') return this.#begin('row');
        if (char === ']' && this.#place === 'row-or-end') return this.#move('after-value');
        break;
      case 'after-row':
        if (char === ',') return this.#move('row');
        if (char === ']') return this.#move('after-value');
        break;
      case 'end':
        break;
    }
    throw malformed(`"${char}" is not expected here (${this.#place.replaceAll('-', ' ')})`);
  }

  #enterValue(char: string): boolean {
    this.#members.begin(this.#key);
    if (this.#key !== 'results') return this.#begin('member');
    if (char !== '[') throw malformed('results is not a list');
    return this.#move('row-or-end');
  }

  #move(place: Place): false {
    this.#place = place;
    return false;
  }

  #begin(captured: 'key' | 'member' | 'row'): true {
    this.#capturing = captured;
    return true;
  }

  #finish(value: Capture, rows: MappingResultRow[]): void {
    if (this.#capturing === 'row') {
      this.#addRows(rows, value.bytes);
      this.#place = 'after-row';
    } else if (this.#capturing === 'key') {
      this.#key = String(this.#parse(value.bytes));
      this.#place = 'colon';
    } else {
      this.#members.end(this.#key, this.#parse(value.bytes));
      this.#place = 'after-value';
    }
    this.#capturing = null;
  }

  /** @param bytes one row, or several separated by commas */
  #addRows(rows: MappingResultRow[], bytes: Uint8Array): void {
    for (const row of this.#parse(bytes, '[', ']') as unknown[]) rows.push(checkedRow(row, this.#rowCount++));
  }

  #parse(bytes: Uint8Array, before = '', after = ''): unknown {
    try {
      return JSON.parse(`${before}${this.#decoder.decode(bytes)}${after}`);
    } catch {
      // The parser's message quotes the body, which must not be logged.
      throw malformed(`near row ${this.#rowCount} (counted from 0) there is no valid JSON or UTF-8`);
    }
  }
}
