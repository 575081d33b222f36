import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow } from '../../../../src/data-sinks/core/job-completed.js';
import { formatInstant } from '../../../../src/data-sinks/core/instant.js';
import { type PayloadFacts, payloadLayout } from '../../../../src/data-sinks/core/payload-layout.js';
import { InvalidResultRowError } from '../../../../src/data-sinks/core/result-row.js';

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
  for (let at = 0; at < rows.length; at += batch) pieces.push(layout.rows(rows.slice(at, at + batch)));
  return `${layout.head(facts)}${pieces.join(layout.separator)}${layout.tail(test)}`;
}

describe('the body of a push', () => {
  it('is, byte for byte, the one of the contract', () => {
    expect(body([matched, unmatched])).toBe(
      '{"jobId":"job_01J5Z0000000000000000000AB","agentId":"agt_01J5Z0000000000000000000AB",' +
        '"workspaceId":"ws_01J5Z0000000000000000000AB","completedAt":"2026-05-25T12:34:56Z",' +
        '"stats":{"total":12000,"matched":11540,"unmatched":460},"results":[' +
        '{"partnerRowId":"row_01J","referenceHotelId":"ref_01J","matchMethod":"STANDARD","matchConfidence":null},' +
        '{"partnerRowId":"row_02J","referenceHotelId":null,"matchMethod":null,"matchConfidence":null}]}',
    );
    expect(layout.contentType).toBe('application/json');
  });

  it('of a job without rows has an empty list', () => {
    expect(body([]).endsWith('"results":[]}')).toBe(true);
    expect(JSON.parse(body([]))).toMatchObject({ jobId: facts.jobId, results: [] });
  });

  it('of a test says so after the fields of a real one', () => {
    expect(body([unmatched], 1, true)).toBe(`${body([unmatched]).slice(0, -1)},"test":true}`);
  });

  it('has the contract’s order of fields, whatever order the host’s objects have', () => {
    const shuffled = {
      matchConfidence: null,
      matchMethod: 'STANDARD',
      extra: 'not ours to send',
      referenceHotelId: 'ref_01J',
      partnerRowId: 'row_01J',
    };
    const { stats, completedAt, workspaceId, agentId, jobId } = facts;
    const shuffledFacts = { stats, extra: 1, completedAt, workspaceId, agentId, jobId };
    expect(layout.rows([shuffled])).toBe(layout.rows([matched]));
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
    const text = layout.rows([{ ...unmatched, partnerRowId }]);
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
    expect(layout.rows([{ ...matched, matchConfidence }])).toContain(`"matchConfidence":${written}}`);
  });

  it('has null for what a row leaves out', () => {
    expect(layout.rows([{ partnerRowId: 'row_02J' } as MappingResultRow])).toBe(layout.rows([unmatched]));
  });

  it('is the same whatever the size of the batches in which the rows come', () => {
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
  it.each<[unknown, string]>([
    [{}, 'a row has no partnerRowId'],
    [{ ...matched, partnerRowId: '' }, 'a row has no partnerRowId'],
    [{ ...matched, partnerRowId: 7 }, 'a row has no partnerRowId'],
    [{ ...matched, partnerRowId: null }, 'a row has no partnerRowId'],
    [{ ...matched, referenceHotelId: 7 }, 'referenceHotelId of row row_01J is neither a string nor null'],
    [{ ...matched, matchMethod: {} }, 'matchMethod of row row_01J is neither a string nor null'],
    [{ ...matched, matchConfidence: '0.5' }, 'matchConfidence of row row_01J is neither a finite number nor null'],
    [{ ...matched, matchConfidence: Number.NaN }, 'matchConfidence of row row_01J is neither a finite number nor null'],
    [{ ...matched, matchConfidence: Infinity }, 'matchConfidence of row row_01J is neither a finite number nor null'],
  ])('like %j is refused by name', (row, message) => {
    const error = thrownBy(() => layout.rows([unmatched, row as MappingResultRow]));
    expect(error).toBeInstanceOf(InvalidResultRowError);
    expect(error).toMatchObject({ code: 'results_invalid', message });
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
