import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough } from 'node:stream';
import { PayloadReader } from '../payload-reader.js';
import { type PushContent, pushContent } from '../push-content.js';
import { type MappingResultRow, PayloadError, type PushFacts } from '../results-push.js';
import type { ListenRecord } from './listen-record.js';

/** JSON.stringify() and readers of its output fail on deeper nesting. */
const SHOWN_LEVELS = 100;

type Counted = Pick<ListenRecord, 'format' | 'gzip' | 'part' | 'rows' | 'firstRow' | 'facts' | 'payloadError' | 'test'>;

/** Counts the rows of one streamed body of any format. After an error, it records the error and ignores the rest. */
export class PayloadCount {
  readonly #body = new PassThrough();
  readonly #content: PushContent | null;
  readonly #read: Promise<void>;
  #isCutOff = false;
  #rows = 0;
  #firstRow: MappingResultRow | null = null;
  #facts: PushFacts | null = null;
  #payloadError: string | null = null;

  constructor(headers: IncomingHttpHeaders) {
    this.#content = this.#orError(() => pushContent(headers));
    this.#read = this.#content?.format ? this.#count(headers) : Promise.resolve();
    // finish() reports its failure, possibly much later.
    this.#read.catch(() => undefined);
  }

  async update(chunk: Uint8Array): Promise<void> {
    if (!this.#isReading || this.#body.write(chunk)) return;
    // Waits until there is room for more, or the reader has given up. A decompression error also ends the body, and the
    // reader reports it.
    const drained = once(this.#body, 'drain').catch(() => undefined);
    await Promise.race([drained, this.#read]);
  }

  /** @param whole false when the sender aborted */
  async finish(whole: boolean): Promise<Counted> {
    if (whole) this.#body.end();
    else this.#cutOff();
    await this.#read;
    const { format = null, gzip = false, part = null } = this.#content ?? {};
    const isRead = format !== null && this.#payloadError === null;
    return {
      ...{ format, gzip, part, rows: isRead ? this.#rows : null, firstRow: this.#firstRow, facts: this.#facts },
      ...{ payloadError: this.#payloadError, test: this.#facts?.test === true },
    };
  }

  #cutOff(): void {
    this.#isCutOff = true;
    this.#body.destroy();
  }

  get #isReading(): boolean {
    return (this.#content?.format ?? null) !== null && !this.#body.destroyed;
  }

  async #count(headers: IncomingHttpHeaders): Promise<void> {
    try {
      const reader = new PayloadReader(this.#body, { headers });
      for await (const rows of reader.batches()) {
        this.#rows = reader.rowCount;
        if (reader.rowCount === rows.length) this.#firstRow = shown(rows[0]);
      }
      this.#facts = reader.facts;
    } catch (error) {
      this.#body.destroy();
      if (error instanceof PayloadError) this.#payloadError = error.code;
      // An aborted body is always truncated; report nothing more.
      else if (!this.#isCutOff) throw error;
    }
  }

  #orError<T>(step: () => T): T | null {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#payloadError = error.code;
      return null;
    }
  }
}

function shown(row: MappingResultRow | undefined): MappingResultRow | null {
  return row === undefined || isDeeper(row, SHOWN_LEVELS) ? null : row;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
