import { describe, expect, it } from '@jest/globals';
import { readResultRow } from '../../../../src/reference-host/jobs/result-row.js';

const ROW = { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: 0.5 };

describe('a row of a completed job', () => {
  it('is accepted unchanged', () => {
    expect(readResultRow(ROW, '/results/0')).toEqual({ ok: true, row: ROW });
  });

  it('needs only a partnerRowId; the others become null', () => {
    expect(readResultRow({ partnerRowId: 'row_1' }, '')).toEqual({
      ok: true,
      row: { partnerRowId: 'row_1', referenceHotelId: null, matchMethod: null, matchConfidence: null },
    });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['a number for a row', 7, ['/results/17']],
    ['a list for a row', [], ['/results/17']],
    ['null for a row', null, ['/results/17']],
    ['no partnerRowId', {}, ['/results/17/partnerRowId']],
    ['a number for an id', { ...ROW, partnerRowId: 5 }, ['/results/17/partnerRowId']],
    ['an empty id', { ...ROW, partnerRowId: '' }, ['/results/17/partnerRowId']],
    ['an endless id', { ...ROW, partnerRowId: 'x'.repeat(257) }, ['/results/17/partnerRowId']],
    ['NUL in an id', { ...ROW, partnerRowId: 'a\0b' }, ['/results/17/partnerRowId']],
    ['half a surrogate pair', { ...ROW, matchMethod: '\ud83d' }, ['/results/17/matchMethod']],
    ['a number for a hotel', { ...ROW, referenceHotelId: 1 }, ['/results/17/referenceHotelId']],
    ['a confidence over 1', { ...ROW, matchConfidence: 1.01 }, ['/results/17/matchConfidence']],
    ['a confidence in words', { ...ROW, matchConfidence: '1' }, ['/results/17/matchConfidence']],
    ['an unknown field', { ...ROW, 'a/b': 1 }, ['/results/17/a~1b']],
    ['all at once', { x: 1, matchMethod: 1 }, ['/results/17/x', '/results/17/partnerRowId', '/results/17/matchMethod']],
  ])('is refused with a pointer when it has %s', (_, value, pointers) => {
    const result = readResultRow(value, '/results/17');
    expect(result.ok ? [] : result.violations.map(({ pointer }) => pointer)).toEqual(pointers);
  });
});
