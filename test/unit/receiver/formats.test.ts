import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow } from '../../../src/data-sinks/domain/job-completed.js';
import {
  fastifyPush,
  parsePush,
  PayloadError,
  type PayloadErrorCode,
  PayloadReader,
  type PayloadReaderOptions,
  pushContent,
} from '../../../src/receiver/index.js';
import { FACTS, pushedBody, type PushedBody } from './pushed-body.js';
import { PAYLOAD } from './signed-push.js';

const FORMATS = ['JSON', 'JSONL', 'CSV'];
const FORMS = FORMATS.flatMap((format) => [format, `${format};gzip`]);
const ROWS = PAYLOAD.results;

/** The body in chunks that end before these indexes. */
function* chunks(body: Buffer, cuts: readonly number[]): Generator<Buffer> {
  const edges = [0, ...cuts.filter((cut) => cut < body.length).sort((a, b) => a - b), body.length];
  for (const [i, edge] of edges.slice(1).entries()) yield body.subarray(edges[i], edge);
}

async function readStream(
  { body, headers }: PushedBody,
  cuts: readonly number[] = [],
  options: Omit<PayloadReaderOptions, 'headers'> = {},
) {
  const reader = new PayloadReader(Readable.from(chunks(body, cuts)), { headers, ...options });
  const rows = [];
  for await (const row of reader) rows.push(row);
  return { rows, facts: reader.facts };
}

async function codeOf(read: () => unknown): Promise<PayloadErrorCode> {
  try {
    await read();
  } catch (error) {
    if (error instanceof PayloadError) return error.code;
    throw error;
  }
  throw new Error('it was read');
}

const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc
      .array(fc.constantFrom('=', '+', '@', "'", '"', ',', '\r', '\n', '\t', '\0', ' ', '\ufeff', '＝', 'a', '🏨'), {
        maxLength: 5,
      })
      .map((pieces) => pieces.join('')),
  )
  // What is no Unicode is changed by UTF-8 itself.
  .map((some) => some.replace(/\p{Cs}/gu, '\ufffd'));
const anyRow = fc.record<MappingResultRow>({
  partnerRowId: text.filter((id) => id !== ''),
  referenceHotelId: fc.option(text),
  matchMethod: fc.option(text),
  matchConfidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }).map((n) => (n === 0 ? 0 : n))),
});

describe.each(FORMS)('a push in %s', (recipe) => {
  it('is read as rows and facts, streamed or whole', async () => {
    const push = pushedBody(recipe, ROWS);
    expect(await readStream(push)).toEqual({ rows: ROWS, facts: FACTS });
    expect(parsePush(push.body, { headers: push.headers })).toEqual({ ...FACTS, results: ROWS });
  });

  it('is read for any rows and any chunking', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { maxLength: 8 }),
        fc.array(fc.nat(2_000), { maxLength: 8 }),
        async (rows, cuts) => {
          expect(await readStream(pushedBody(recipe, rows), cuts)).toEqual({ rows, facts: FACTS });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has only the fields that the sink selected', async () => {
    const [format, ...gzip] = recipe.split(';');
    const push = pushedBody([format, ...gzip, 'fields=partnerRowId,matchMethod'].join(';'), ROWS);
    const rows = ROWS.map(({ partnerRowId, matchMethod }) => ({ partnerRowId, matchMethod }));
    expect((await readStream(push)).rows).toEqual(rows);
  });

  it('has its part number and the test flag', async () => {
    const part = { number: 3, of: 12 };
    const push = pushedBody(`${recipe};rows=2;part=3/12`, ROWS, true);
    expect((await readStream(push)).facts).toEqual({ ...FACTS, test: true, part });
    expect(pushContent(push.headers)).toEqual({ format: recipe.split(';')[0], gzip: recipe.includes('gzip'), part });
  });

  it('without rows has none', async () => {
    expect(await readStream(pushedBody(recipe, []))).toEqual({ rows: [], facts: FACTS });
  });
});

describe('a push in CSV with formulas as they are', () => {
  it('is read for any rows and any chunking, where the reader is told so', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRow, { maxLength: 8 }),
        fc.array(fc.nat(2_000), { maxLength: 8 }),
        async (rows, cuts) => {
          const push = pushedBody('CSV;formulas=raw', rows);
          expect(await readStream(push, cuts, { csvFormulas: 'raw' })).toEqual({ rows, facts: FACTS });
          const { results } = parsePush(push.body, { headers: push.headers, csvFormulas: 'raw' });
          expect(results).toEqual(rows);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a row with the fields of its job', () => {
  it.each(FORMATS)('is read with them, in %s', async (format) => {
    const push = pushedBody(`${format};fields=partnerRowId,jobId,completedAt,run`, ROWS);
    const { jobId, completedAt } = FACTS;
    const rows = ROWS.map(({ partnerRowId }) => ({ partnerRowId, jobId, completedAt, run: 1 }));
    expect((await readStream(push)).rows).toEqual(rows);
  });
});

describe('a Parquet file', () => {
  it('is verified, accepted by its content type, and not parsed: the error says what reads it', async () => {
    const headers = { 'Content-Type': 'application/vnd.apache.parquet' };
    const body = Buffer.from('PAR1');
    expect(pushContent(headers)).toEqual({ format: null, gzip: false, part: null });
    expect(await codeOf(() => parsePush(body, { headers }))).toBe('payload_unread');
    expect(() => new PayloadReader(Readable.from([body]), { headers })).toThrow(/pyarrow, DuckDB or hyparquet/);
    const types: string[] = [];
    const scope = { addContentTypeParser: (type: string) => types.push(type), addHook: () => undefined };
    fastifyPush(scope, { secret: 'a secret of the sink' });
    expect(types).toContain('application/vnd.apache.parquet');
  });
});

describe('a truncated body', () => {
  it.each(FORMS)('is told from one that is, in %s', async (recipe) => {
    const { body, headers } = pushedBody(recipe, ROWS);
    const cut = { body: body.subarray(0, body.length - (recipe.includes('gzip') ? 9 : 1)), headers };
    expect(await codeOf(() => readStream(cut))).toBe('payload_truncated');
    expect(await codeOf(() => parsePush(cut.body, { headers }))).toBe('payload_truncated');
  });

  it('is detected in CSV even if only the header row is left', async () => {
    const { headers } = pushedBody('CSV', []);
    expect(await codeOf(() => readStream({ body: Buffer.alloc(0), headers }))).toBe('payload_truncated');
  });
});

describe('an invalid body', () => {
  const lines = pushedBody('JSONL', ROWS).headers;
  const csv = pushedBody('CSV', ROWS).headers;
  const head = 'partnerRowId,matchConfidence\r\n';

  it.each<[string, string, Readonly<Record<string, string>>, PayloadErrorCode]>([
    ['a line that is no JSON', '{"partnerRowId":"row_1"}\nnothing\n', lines, 'payload_malformed'],
    ['two rows in one line', '{"partnerRowId":"a"},{"partnerRowId":"b"}\n', lines, 'payload_malformed'],
    ['an empty line', '{"partnerRowId":"a"}\n\n', lines, 'payload_malformed'],
    ['a line that is no row', '"row_1"\n', lines, 'row_invalid'],
    ['a row without an id', '{"matchMethod":"STANDARD"}\n', lines, 'row_invalid'],
    ['columns that are not named', 'row_1,0.5\r\n', csv, 'payload_malformed'],
    ['a column that comes twice', 'partnerRowId,partnerRowId\r\n', csv, 'payload_malformed'],
    ['a record that is too short', `${head}row_1\r\n`, csv, 'payload_malformed'],
    ['a record that is too long', `${head}row_1,0.5,x\r\n`, csv, 'payload_malformed'],
    ['a quote in the middle of a field', `${head}ro"w"_1,0.5\r\n`, csv, 'payload_malformed'],
    ['text after a quoted field', `${head}"row"_1,0.5\r\n`, csv, 'payload_malformed'],
    ['a carriage return alone', `${head}row_1,0.5\rrow_2,1\r\n`, csv, 'payload_malformed'],
    ['a quote that is never closed', `${head}"row_1,0.5\r\n`, csv, 'payload_truncated'],
    ['a number that is none', `${head}row_1,high\r\n`, csv, 'row_invalid'],
    ['a number that no cell holds', `${head}row_1,Infinity\r\n`, csv, 'row_invalid'],
    ['an id that is null', `${head},0.5\r\n`, csv, 'row_invalid'],
  ])('with %s is refused', async (_what, body, headers, code) => {
    expect(await codeOf(() => readStream({ body: Buffer.from(body), headers }))).toBe(code);
    expect(await codeOf(() => readStream({ body: Buffer.from(body), headers }, [1, 7, 30]))).toBe(code);
  });

  it.each(['JSONL', 'CSV'])('with bytes that are no UTF-8 is refused, in %s', async (recipe) => {
    const { body, headers } = pushedBody(recipe, ROWS);
    const damaged = Buffer.from(body);
    damaged[damaged.indexOf('é')] = 0xff;
    expect(await codeOf(() => readStream({ body: damaged, headers }))).toBe('payload_malformed');
  });

  it.each(['X-MT-Job-Id', 'X-MT-Agent-Id', 'X-MT-Workspace-Id', 'X-MT-Completed-At', 'X-MT-Stats'])(
    'without the header %s is refused before a row is read',
    async (name) => {
      const { body, headers } = pushedBody('CSV', ROWS);
      const { [name]: _left, ...others } = headers;
      expect(() => new PayloadReader(Readable.from([body]), { headers: others })).toThrow(PayloadError);
      expect(await codeOf(() => parsePush(body, { headers: others }))).toBe('payload_incomplete');
    },
  );

  it('of another content type or compression is refused at once', async () => {
    const { body } = pushedBody('JSON', ROWS);
    for (const headers of [
      { 'Content-Type': 'text/plain' },
      { 'Content-Type': 'application/json', 'Content-Encoding': 'br' },
    ]) {
      expect(await codeOf(() => parsePush(body, { headers }))).toBe('payload_malformed');
    }
  });

  it.each(['12/3', '0/3', '3', '3/12/1', 'a/b', '1/1e9', ''])('with the part %j is one in one piece', (part) => {
    expect(pushContent({ 'X-MT-Part': part }).part).toBeNull();
  });
});

describe('hostile input', () => {
  const bomb = (mib: number): PushedBody => ({
    body: gzipSync(Buffer.alloc(mib * 1024 * 1024, ' ')),
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
  });

  it('that decompresses without end is refused at the limit, streamed or whole', async () => {
    const { body, headers } = bomb(64);
    expect(body.length).toBeLessThan(100_000);
    const options = { maxInflatedBytes: 1024 * 1024 };
    expect(await codeOf(() => readStream({ body, headers }, [], options))).toBe('payload_too_large');
    expect(await codeOf(() => parsePush(body, { headers, ...options }))).toBe('payload_too_large');
  });

  it('is answered with 413', () => {
    expect(new PayloadError('payload_too_large', 'x').statusCode).toBe(413);
    expect(new PayloadError('row_invalid', 'x').status).toBe(400);
  });

  it.each(FORMS.filter((form) => form.includes('gzip')))(
    'that is not compressed as it says is refused, in %s',
    async (recipe) => {
      const { headers } = pushedBody(recipe, ROWS);
      const plain = pushedBody(recipe.replace(';gzip', ''), ROWS).body;
      expect(await codeOf(() => readStream({ body: plain, headers }))).toBe('payload_malformed');
      expect(await codeOf(() => parsePush(plain, { headers }))).toBe('payload_malformed');
    },
  );

  it.each(['JSONL', 'CSV'])('of one endless row is given up at the limit, in %s', async (recipe) => {
    const { headers } = pushedBody(recipe, ROWS);
    const head = recipe === 'CSV' ? 'partnerRowId\r\n"' : '{"partnerRowId":"';
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from(head);
      for (;;) yield Buffer.alloc(65_536, recipe === 'CSV' ? '\n' : 'x');
    }
    const reader = new PayloadReader(endless(), { headers, maxValueBytes: 200_000 });
    const read = async (): Promise<void> => {
      for await (const row of reader) expect(row).toBeUndefined();
    };
    expect(await codeOf(read)).toBe('value_too_large');
  });

  it('from a source that fails ends with the source’s error', async () => {
    const { body, headers } = pushedBody('JSON;gzip', ROWS);
    async function* failing(): AsyncGenerator<Buffer> {
      yield body.subarray(0, 20);
      throw new Error('the connection is gone');
    }
    const reader = new PayloadReader(failing(), { headers });
    const read = async (): Promise<void> => {
      for await (const row of reader) expect(row).toBeUndefined();
    };
    await expect(read()).rejects.toThrow('the connection is gone');
  });
});
