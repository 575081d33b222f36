import { CsvScanner } from './csv-scanner.js';
import { inflated, inflatedWhole } from './inflate.js';
import { JsonLinesScanner } from './json-lines-scanner.js';
import { PayloadScanner } from './payload-scanner.js';
import { factsIn, isParquet, type PushContent, pushContent, type PushFormat } from './push-content.js';
import type { PushHeaders } from './push-headers.js';
import { type MappingResultRow, PayloadError, type PushFacts, type ResultsPush } from './results-push.js';
import type { RowScanner, RowScannerOptions } from './row-scanner.js';

export interface PayloadReaderOptions extends RowScannerOptions {
  /**
   * The request's headers: format, compression, and the facts that rows alone cannot carry.
   * @default JSON, not compressed
   */
  readonly headers?: PushHeaders;
  /**
   * Whether the sink's CSV puts an apostrophe before text that looks like a formula (`escape`), which the reader then
   * removes, or not (`raw`): its setting `csvFormulas`.
   * @default 'escape'
   */
  readonly csvFormulas?: 'escape' | 'raw';
  /**
   * Maximum size of a body after decompression.
   * @default 1 GiB, about 9 million rows; 256 MiB for `parsePush()`, which keeps them in memory
   */
  readonly maxInflatedBytes?: number;
}

const GIB = 1024 ** 3;
const MAX_HELD_BYTES = GIB / 4;

const PLAIN_JSON: PushContent = { format: 'JSON', gzip: false, part: null };

const SCANNERS: Readonly<Record<PushFormat, (headers: PushHeaders, options: PayloadReaderOptions) => RowScanner>> = {
  JSON: (_headers, options) => new PayloadScanner(options),
  JSONL: (headers, options) => new JsonLinesScanner(factsIn(headers), options),
  CSV: (headers, options) => new CsvScanner(factsIn(headers), options),
};

/**
 * Reads a push of any size and format as a stream, in constant memory:
 *
 *     const reader = new PayloadReader(request.pipe(new PushVerifierStream({ headers, secret })), { headers });
 *     for await (const rows of reader.batches()) await insertInto(stagingTable, rows);
 *     await publish(stagingTable, reader.facts);
 *
 * Rows arrive before the signature is verified, since it covers the last byte too: store them where nothing uses them
 * yet.
 */
export class PayloadReader implements AsyncIterable<MappingResultRow> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #scanner: RowScanner;
  readonly #content: PushContent;
  #facts: PushFacts | null = null;

  /**
   * @param source the body's bytes as received: a request, a verifier stream, a file
   * @throws PayloadError at once if the headers are invalid
   */
  constructor(source: AsyncIterable<Uint8Array>, options: PayloadReaderOptions = {}) {
    const { content, scanner } = readingOf(options);
    this.#content = content;
    this.#scanner = scanner;
    this.#source = content.gzip ? inflated(source, options.maxInflatedBytes ?? GIB) : source;
  }

  /**
   * The job's facts, available after the last row.
   * @throws when the rows have not been read to the end
   */
  get facts(): PushFacts {
    if (this.#facts === null) throw new Error('read all rows first: the facts may come after them');
    return this.#facts;
  }

  /** Number of rows read so far. */
  get rowCount(): number {
    return this.#scanner.rowCount;
  }

  /** The rows in batches of some hundreds, for a database's bulk insert. */
  async *batches(): AsyncGenerator<readonly MappingResultRow[], void> {
    for await (const chunk of this.#source) {
      const rows = this.#scanner.push(chunk);
      if (rows.length > 0) yield rows;
    }
    this.#facts = withPart(this.#scanner.end(), this.#content);
  }

  /** The rows one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MappingResultRow, void> {
    for await (const rows of this.batches()) yield* rows;
  }
}

/**
 * Parses a verified push that is in memory.
 * @param rawBody as received, still compressed if it came compressed
 * @throws PayloadError
 */
export function parsePush(
  rawBody: string | Uint8Array,
  {
    headers,
    csvFormulas = 'escape',
    maxInflatedBytes = MAX_HELD_BYTES,
  }: Pick<PayloadReaderOptions, 'headers' | 'csvFormulas' | 'maxInflatedBytes'> = {},
): ResultsPush {
  const given: unknown = typeof rawBody === 'string' ? Buffer.from(rawBody, 'utf8') : rawBody;
  if (!(given instanceof Uint8Array)) {
    throw new PayloadError('payload_malformed', 'parsePush() takes the raw body, not what was parsed from it.');
  }
  const gzip = headers !== undefined && pushContent(headers).gzip;
  const bytes = gzip ? inflatedWhole(given, maxInflatedBytes) : given;
  const { content, scanner } = readingOf({ ...(headers && { headers }), csvFormulas, maxValueBytes: bytes.length });
  const results = scanner.push(bytes);
  return { ...withPart(scanner.end(), content), results };
}

function readingOf({ headers, ...options }: PayloadReaderOptions): { content: PushContent; scanner: RowScanner } {
  const content = headers ? pushContent(headers) : PLAIN_JSON;
  if (content.format === null) {
    throw headers && isParquet(headers)
      ? new PayloadError('payload_unread', PARQUET_ADVICE)
      : new PayloadError('payload_malformed', 'The Content-Type is not one that a push has.');
  }
  return { content, scanner: SCANNERS[content.format](headers ?? {}, options) };
}

const PARQUET_ADVICE =
  'The body is a Parquet file, which this kit verifies and does not parse: store the verified bytes as a file and read them with pyarrow, DuckDB or hyparquet.';

function withPart(facts: PushFacts, { part }: PushContent): PushFacts {
  return part ? { ...facts, part } : facts;
}
