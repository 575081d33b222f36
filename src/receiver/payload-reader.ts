import type { PayloadScannerOptions } from './payload-scanner.js';
import { PayloadScanner } from './payload-scanner.js';
import type { MappingResultRow, PushFacts, ResultsPush } from './results-push.js';
import { PayloadError } from './results-push.js';

/**
 * Reads a push of any size as a stream, in constant memory:
 *
 *     const reader = new PayloadReader(request.pipe(new PushVerifierStream({ headers, secret })));
 *     for await (const rows of reader.batches()) await insertInto(stagingTable, rows);
 *     await publish(stagingTable, reader.facts);
 *
 * Rows come before the signature is proved (it covers the last byte too): store them where nothing reads them yet.
 */
export class PayloadReader implements AsyncIterable<MappingResultRow> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #scanner: PayloadScanner;
  #facts: PushFacts | null = null;

  /** @param source the body's bytes: a request, a verifier stream, a file */
  constructor(source: AsyncIterable<Uint8Array>, options: PayloadScannerOptions = {}) {
    this.#source = source;
    this.#scanner = new PayloadScanner(options);
  }

  /**
   * The job's facts, once the last row was read.
   * @throws when the rows have not been read to their end
   */
  get facts(): PushFacts {
    if (this.#facts === null) throw new Error('read the rows to their end first: facts may come after them');
    return this.#facts;
  }

  /** Rows read so far. */
  get rowCount(): number {
    return this.#scanner.rowCount;
  }

  /** The rows as they come, some hundreds together, which suits a database's bulk insert. */
  async *batches(): AsyncGenerator<readonly MappingResultRow[], void> {
    for await (const chunk of this.#source) {
      const rows = this.#scanner.push(chunk);
      if (rows.length > 0) yield rows;
    }
    this.#facts = this.#scanner.end();
  }

  /** The rows one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MappingResultRow, void> {
    for await (const rows of this.batches()) yield* rows;
  }
}

/**
 * Parses a push that was verified and is held whole.
 * @throws PayloadError
 */
export function parsePush(rawBody: string | Uint8Array): ResultsPush {
  const bytes: unknown = typeof rawBody === 'string' ? Buffer.from(rawBody, 'utf8') : rawBody;
  if (!(bytes instanceof Uint8Array)) {
    throw new PayloadError('payload_malformed', 'parsePush() takes the raw body, not what was parsed from it.');
  }
  const scanner = new PayloadScanner({ maxValueBytes: bytes.length });
  const results = scanner.push(bytes);
  return { ...scanner.end(), results };
}
