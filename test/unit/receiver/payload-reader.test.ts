import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow as SentRow } from '../../../src/data-sinks/domain/job-completed.js';
import { bodyText, payloadLayout } from '../../../src/data-sinks/domain/body/payload-layout.js';
import type { MappingResultRow, PayloadErrorCode, RowScannerOptions } from '../../../src/receiver/index.js';
import { parsePush, PayloadError, PayloadReader, PayloadScanner } from '../../../src/receiver/index.js';
import { PAYLOAD } from './signed-push.js';

interface Read {
  readonly rows: readonly MappingResultRow[];
  readonly facts: object;
}

/** Reads in chunks that end before each of the given indexes. */
function readCut(bytes: Buffer, cuts: readonly number[], options?: RowScannerOptions): Read {
  const scanner = new PayloadScanner(options);
  const edges = [0, ...cuts, bytes.length];
  const rows = edges.slice(1).flatMap((edge, i) => scanner.push(bytes.subarray(edges[i], edge)));
  return { rows, facts: scanner.end() };
}

const { results, ...facts } = PAYLOAD;
const canonical = Buffer.from(JSON.stringify(PAYLOAD));
const spaced = Buffer.from(JSON.stringify({ ...PAYLOAD, test: true, later: [{ a: ']}' }, -1.5e3, 'x'] }, null, '\t '));

function codeOf(read: () => unknown): PayloadErrorCode | 'read' {
  try {
    read();
    return 'read';
  } catch (error) {
    if (error instanceof PayloadError) return error.code;
    throw error;
  }
}

describe('a push read as a stream', () => {
  it('gives the same rows and facts for any chunking', () => {
    for (let i = 0; i <= canonical.length; i++) {
      expect(readCut(canonical, [i])).toEqual({ rows: results, facts });
      expect(readCut(spaced, [Math.min(i, spaced.length)])).toEqual({ rows: results, facts: { ...facts, test: true } });
    }
  });

  it('gives the same if every byte comes alone', () => {
    const cuts = Array.from({ length: spaced.length - 1 }, (_, i) => i + 1);
    expect(readCut(spaced, cuts)).toEqual({ rows: results, facts: { ...facts, test: true } });
  });

  it('is read for any rows and any chunks', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '}],', '\u2028', '\\u00e9', '🏨'));
    const row = fc.record<SentRow>({
      partnerRowId: text.filter((id) => id !== ''),
      referenceHotelId: fc.option(text),
      matchMethod: fc.option(text),
      matchConfidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true }).map((n) => (n === 0 ? 0 : n))),
    });
    const layout = payloadLayout({ format: 'JSON', fields: null });
    fc.assert(
      fc.property(fc.array(row), fc.boolean(), fc.array(fc.nat(5000)), (rows, test, cuts) => {
        const body = Buffer.from(bodyText(layout, { ...facts, completedAt: new Date(facts.completedAt) }, rows, test));
        const inside = cuts.filter((cut) => cut < body.length).sort((a, b) => a - b);
        // What is no Unicode (a lone surrogate) is changed by UTF-8 itself; JSON.parse sees the same bytes.
        const expected = JSON.parse(body.toString('utf8')) as { results: MappingResultRow[] };
        expect(readCut(body, inside)).toEqual({ rows: expected.results, facts: test ? { ...facts, test } : facts });
      }),
    );
  });

  it('accepts and refuses what JSON.parse does, for any changed byte', () => {
    fc.assert(
      fc.property(fc.nat(canonical.length - 1), fc.nat(255), fc.nat(canonical.length), (at, byte, cut) => {
        const changed = Buffer.from(canonical);
        changed[at] = byte;
        const parsed = codeOf(() => {
          try {
            return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(changed)) as unknown;
          } catch {
            throw new PayloadError('payload_malformed', '');
          }
        });
        const read = codeOf(() => readCut(changed, [cut]));
        // Valid JSON may still be no push: a key misspelt, a value of another type, a key twice.
        if (parsed === 'payload_malformed') expect(['payload_malformed', 'payload_truncated']).toContain(read);
        else if (read === 'read') expect(readCut(changed, [cut]).rows).toHaveLength(2);
      }),
      { numRuns: 2000 },
    );
  });

  const row = JSON.stringify(results[0]);
  const around = (list: string) => `${JSON.stringify(facts).slice(0, -1)},"results":${list}}`;
  const others = (count: number, name = 'later') =>
    `${around('[]').slice(0, -1)},${Array.from({ length: count }, (_, i) => `"${name}${i}":1`).join(',')}}`;
  const refused: [PayloadErrorCode, string, string | Uint8Array][] = [
    ['payload_truncated', 'nothing', ''],
    ['payload_truncated', 'white space', ' \n'],
    ['payload_truncated', 'an end within a row', canonical.subarray(0, canonical.length - 20)],
    ['payload_truncated', 'an end before the last brace', canonical.subarray(0, canonical.length - 1)],
    ['payload_malformed', 'a list', '[]'],
    ['payload_malformed', 'a word', 'null'],
    ['payload_malformed', 'a page of HTML', '<html></html>'],
    ['payload_malformed', 'something after the end', `${canonical.toString('utf8')}{}`],
    ['payload_malformed', 'a byte order mark', `\ufeff${canonical.toString('utf8')}`],
    [
      'payload_malformed',
      'bytes that are no UTF-8',
      Buffer.from(around(`[${row}]`).replace('row_1', '\u00ff'), 'latin1'),
    ],
    ['payload_malformed', 'results that are no list', around('{}')],
    ['payload_malformed', 'a comma after the last row', around(`[${row},]`)],
    ['payload_malformed', 'two commas', around(`[${row},,${row}]`)],
    ['payload_malformed', 'no comma', around(`[${row}${row}]`)],
    ['payload_malformed', 'a row that is no object', around(`[1]`)],
    ['payload_malformed', 'brackets that do not match', around(`[{"a":[}]]`)],
    ['payload_malformed', 'a member twice', canonical.toString('utf8').replace('"agentId"', '"jobId"')],
    ['payload_malformed', 'results twice', around(`[],"results":[]`)],
    ['payload_malformed', 'a comma before the first member', `{,${canonical.subarray(1).toString('utf8')}`],
    ['payload_malformed', 'more members than any push has', others(95)],
    ['payload_malformed', 'an unknown member twice', around('[],"later":1,"later":2')],
    ['payload_malformed', 'an unknown member that is no JSON', around('[],"later":[1,]')],
    ['payload_incomplete', 'an empty object', '{}'],
    ['payload_incomplete', 'no results', JSON.stringify(facts)],
    ['payload_incomplete', 'no jobId', JSON.stringify({ ...PAYLOAD, jobId: undefined })],
    ['payload_incomplete', 'a number for an id', JSON.stringify({ ...PAYLOAD, agentId: 1 })],
    ['payload_incomplete', 'a list for an id', JSON.stringify({ ...PAYLOAD, agentId: [] })],
    [
      'payload_incomplete',
      'an object for a count',
      JSON.stringify({ ...PAYLOAD, stats: { ...facts.stats, total: {} } }),
    ],
    ['payload_incomplete', 'stats that are no object', JSON.stringify({ ...PAYLOAD, stats: null })],
    ['payload_incomplete', 'a count below zero', JSON.stringify({ ...PAYLOAD, stats: { ...facts.stats, total: -1 } })],
    ['row_invalid', 'a row without an id', around('[{}]')],
    ['row_invalid', 'a number for a hotel', around(`[${row.replace('"ref_1"', '1')}]`)],
    ['row_invalid', 'a number for a method', around(`[${row.replace('"STANDARD"', '1')}]`)],
    ['row_invalid', 'a word for a confidence', around(`[${row.replace('0.5', '"high"')}]`)],
    ['value_too_large', 'a row beyond the limit', around(`[${row.replace('row_1', 'x'.repeat(2000))}]`)],
    ['value_too_large', 'names of members beyond the limit together', others(20, 'x'.repeat(100))],
    ['value_too_large', 'a member that never ends', `{"jobId":"${'x'.repeat(5000)}`],
  ];

  it.each(refused)('is refused as %s: %s', (code, _name, body) => {
    const bytes = Buffer.from(body);
    expect(codeOf(() => readCut(bytes, [], { maxValueBytes: 1000 }))).toBe(code);
    const everyByte = Array.from({ length: Math.max(bytes.length - 1, 0) }, (_, i) => i + 1);
    expect(codeOf(() => readCut(bytes, everyByte, { maxValueBytes: 1000 }))).toBe(code);
  });

  it('never quotes the body in an error', () => {
    for (const [, , body] of refused) {
      expect(() => readCut(Buffer.from(body), [])).not.toThrow(/row_1|ref_1|job_01J/);
    }
  });

  it('skips members of a later version', () => {
    expect(readCut(Buffer.from(others(94)), [])).toEqual({ rows: [], facts });
  });

  it('keeps unknown members of a row', () => {
    const known = around(`[${row.replace('{', '{"later":{"a":[1]},')}]`);
    expect(readCut(Buffer.from(known), []).rows[0]).toMatchObject({ later: { a: [1] } });
  });
});

describe('PayloadReader', () => {
  async function* chunks(size: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < canonical.length; i += size) yield canonical.subarray(i, i + size);
  }

  it('yields rows one by one and then has the facts', async () => {
    const reader = new PayloadReader(chunks(10));
    const rows: MappingResultRow[] = [];
    for await (const one of reader) rows.push(one);
    expect(rows).toEqual(results);
    expect(reader.facts).toEqual(facts);
    expect(reader.rowCount).toBe(2);
  });

  it('yields rows in batches', async () => {
    const reader = new PayloadReader(chunks(10_000));
    for await (const rows of reader.batches()) expect(rows).toEqual(results);
    expect(reader.facts.stats.total).toBe(2);
  });

  it('has no facts before the end', () => {
    expect(() => new PayloadReader(chunks(10)).facts).toThrow('read all rows first');
  });

  it('passes on the source’s error', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield canonical.subarray(0, 50);
      throw new Error('the connection was lost');
    }
    const read = async () => {
      for await (const one of new PayloadReader(failing())) void one;
    };
    await expect(read()).rejects.toThrow('the connection was lost');
  });
});

describe('parsePush', () => {
  it.each([canonical, canonical.toString('utf8')])('reads a whole body', (body) => {
    expect(parsePush(body)).toEqual(PAYLOAD);
  });

  it('refuses a parsed body', () => {
    expect(codeOf(() => parsePush(PAYLOAD as unknown as string))).toBe('payload_malformed');
  });
});
