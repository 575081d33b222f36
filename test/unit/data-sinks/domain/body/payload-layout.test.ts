import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow } from '../../../../../src/data-sinks/domain/job-completed.js';
import { formatInstant } from '../../../../../src/data-sinks/domain/instant.js';
import type { PayloadFacts } from '../../../../../src/data-sinks/domain/body/layout.js';
import { payloadLayout } from '../../../../../src/data-sinks/domain/body/payload-layout.js';
import { InvalidResultsError } from '../../../../../src/data-sinks/domain/body/result-row.js';

const layout = payloadLayout({ format: 'JSON', fields: null });
const facts: PayloadFacts = {
  jobId: 'job_01J5Z0000000000000000000AB',
  agentId: 'agt_01J5Z0000000000000000000AB',
  workspaceId: 'ws_01J5Z0000000000000000000AB',
  completedAt: new Date('2026-05-25T12:34:56Z'),
  stats: { total: 12_000, matched: 11_540, unmatched: 460 },
};
const matched: MappingResultRow = {
  partnerRowId: 'row_01J',
  referenceHotelId: 'ref_01J',
  matchMethod: 'STANDARD',
  matchConfidence: null,
};
const unmatched: MappingResultRow = {
  partnerRowId: 'row_02J',
  referenceHotelId: null,
  matchMethod: null,
  matchConfidence: null,
};

function body(rows: readonly MappingResultRow[], batch = rows.length, test = false): string {
  const pieces: string[] = [];
  for (let at = 0; at < rows.length; at += batch) pieces.push(layout.rows(rows.slice(at, at + batch), facts));
  return `${layout.head(facts)}${pieces.join(layout.separator)}${layout.tail(test)}`;
}

describe('the body of a push', () => {
  it('equals the contract’s example byte for byte', () => {
    expect(body([matched, unmatched])).toBe(
      '{"jobId":"job_01J5Z0000000000000000000AB","agentId":"agt_01J5Z0000000000000000000AB",' +
        '"workspaceId":"ws_01J5Z0000000000000000000AB","completedAt":"2026-05-25T12:34:56Z",' +
        '"stats":{"total":12000,"matched":11540,"unmatched":460},"results":[' +
        '{"partnerRowId":"row_01J","referenceHotelId":"ref_01J","matchMethod":"STANDARD","matchConfidence":null},' +
        '{"partnerRowId":"row_02J","referenceHotelId":null,"matchMethod":null,"matchConfidence":null}]}',
    );
  });

  it('of a job without rows has an empty list', () => {
    expect(body([]).endsWith('"results":[]}')).toBe(true);
    expect(JSON.parse(body([]))).toMatchObject({ jobId: facts.jobId, results: [] });
  });

  it('of a test says so after the fields of a real one', () => {
    expect(body([unmatched], 1, true)).toBe(`${body([unmatched]).slice(0, -1)},"test":true}`);
  });

  it('has the contract’s order of fields, whatever the order in the host’s objects', () => {
    const shuffled = {
      matchConfidence: null,
      matchMethod: 'STANDARD',
      extra: 'not ours to send',
      referenceHotelId: 'ref_01J',
      partnerRowId: 'row_01J',
    };
    const { stats, completedAt, workspaceId, agentId, jobId } = facts;
    const shuffledFacts = { stats, extra: 1, completedAt, workspaceId, agentId, jobId };
    expect(layout.rows([shuffled], facts)).toBe(layout.rows([matched], facts));
    expect(layout.head(shuffledFacts)).toBe(layout.head(facts));
  });

  it.each([
    ['quotes and backslashes', 'row_"\\', '"row_\\"\\\\"'],
    ['line breaks and NUL', 'row_\n\r\t\u0000', '"row_\\n\\r\\t\\u0000"'],
    ['letters beyond ASCII', 'Hôtel Zürich 東京', '"Hôtel Zürich 東京"'],
    ['a character of four bytes', '🏨', '"🏨"'],
    ['half of such a character', '\ud83c', '"\\ud83c"'],
    ['line separators', '\u2028\u2029', '"\u2028\u2029"'],
    ['what looks like JSON', '"},{"', '"\\"},{\\""'],
  ])('keeps %s in an id', (_what, partnerRowId, written) => {
    const text = layout.rows([{ ...unmatched, partnerRowId }], facts);
    expect(text).toBe(`{"partnerRowId":${written},"referenceHotelId":null,"matchMethod":null,"matchConfidence":null}`);
    expect(JSON.parse(text)).toEqual({ ...unmatched, partnerRowId });
  });

  it.each([
    [0, '0'],
    [1, '1'],
    [0.5, '0.5'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1e-7, '1e-7'],
    [-0, '0'],
  ])('writes the confidence %d as %s', (matchConfidence, written) => {
    expect(layout.rows([{ ...matched, matchConfidence }], facts)).toContain(`"matchConfidence":${written}}`);
  });

  it('writes null for omitted fields', () => {
    expect(layout.rows([{ partnerRowId: 'row_02J' } as MappingResultRow], facts)).toBe(layout.rows([unmatched], facts));
  });

  it('is the same for any batch size', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom('"', '\\', ',', ']}', '\n'));
    const row = fc.record({
      partnerRowId: text,
      referenceHotelId: fc.option(text),
      matchMethod: fc.option(text),
      matchConfidence: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 31 }), (rows, batch) => {
        const whole = body(rows);
        expect(body(rows, batch)).toBe(whole);
        const parsed = JSON.parse(whole) as { results: unknown };
        expect(parsed.results).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
    );
  });
});

describe('a row that cannot be sent', () => {
  const noId = 'a row without a partnerRowId; it must be a non-empty string';
  const confidence = (what: string): string =>
    `row row_01J whose matchConfidence is ${what}; it must be a number from 0 to 1, or null`;
  it.each<[unknown, string]>([
    [null, 'a row that is null; it must be an object'],
    [undefined, 'a row that is undefined; it must be an object'],
    ['row_01J', 'a row that is a string; it must be an object'],
    [{}, noId],
    [[matched], noId],
    [{ ...matched, partnerRowId: '' }, noId],
    [{ ...matched, partnerRowId: 7 }, noId],
    [{ ...matched, partnerRowId: null }, noId],
    [
      { ...matched, referenceHotelId: 7 },
      'row row_01J whose referenceHotelId is a number; it must be a string or null',
    ],
    [{ ...matched, matchMethod: {} }, 'row row_01J whose matchMethod is an object; it must be a string or null'],
    [{ ...matched, matchConfidence: '0.5' }, confidence('a string')],
    [{ ...matched, matchConfidence: 1.7 }, confidence('1.7')],
    [{ ...matched, matchConfidence: 93 }, confidence('93')],
    [{ ...matched, matchConfidence: -0.1 }, confidence('-0.1')],
    [{ ...matched, matchConfidence: Number.NaN }, confidence('NaN')],
    [{ ...matched, matchConfidence: Infinity }, confidence('Infinity')],
  ])('like %j is refused with its row id', (row, message) => {
    const error = thrownBy(() => layout.rows([unmatched, row as MappingResultRow], facts));
    expect(error).toBeInstanceOf(InvalidResultsError);
    expect(error).toMatchObject({ code: 'results_invalid', message: `MappingResults.streamRows() gave ${message}` });
  });
});

describe('a time in the body', () => {
  it.each([
    ['2026-05-25T12:34:56.000Z', '2026-05-25T12:34:56Z'],
    ['2026-05-25T12:34:56.789Z', '2026-05-25T12:34:56.789Z'],
    ['2026-05-25T12:34:56.100Z', '2026-05-25T12:34:56.100Z'],
    ['2026-05-25T14:34:56+02:00', '2026-05-25T12:34:56Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
  ])('%s is written as %s', (given, written) => {
    expect(formatInstant(new Date(given))).toBe(written);
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
