import { describe, expect, it } from '@jest/globals';
import {
  type BodySettings,
  isLastOfSeveral,
  MAX_PARTS,
  parseRecipe,
  partOf,
  partsOf,
  recipeName,
  recipesFor,
} from '../../../../../src/data-sinks/domain/body/payload-recipe.js';
import type { PayloadFormat } from '../../../../../src/data-sinks/domain/data-sink.js';

const PLAIN: BodySettings = { compression: 'none', includeFields: null, maxRowsPerPush: null };
const names = (settings: Partial<BodySettings>, rows = 12): string[] =>
  recipesFor('JSON', { ...PLAIN, ...settings }, rows).map(recipeName);

describe('the name of a recipe', () => {
  it.each([
    'JSON',
    'JSONL',
    'CSV',
    'JSON;gzip',
    'CSV;fields=partnerRowId,matchConfidence',
    'JSONL;gzip;fields=partnerRowId;rows=500;part=3/12',
    'JSON;rows=1;part=1/1',
    'CSV;gzip;formulas=raw;fields=partnerRowId,jobId,completedAt,run',
    'PARQUET',
    'PARQUET;codec=gzip;fields=partnerRowId,run;rows=500;part=3/12',
  ])('%s is read and written the same', (name) => {
    expect(recipeName(parseRecipe(name))).toBe(name);
  });

  it.each([
    '',
    'XML',
    'json',
    'JSON;none',
    'JSON;br',
    'JSON;fields=',
    'JSON;fields=matchMethod,partnerRowId',
    'JSON;fields=partnerRowId,price',
    'JSON;rows=5',
    'JSON;part=1/2',
    'JSON;rows=05;part=1/2',
    'JSON;gzip;gzip',
    'JSON;formulas=raw',
    'CSV;codec=gzip',
    'CSV;formulas=escape',
    'PARQUET;codec=snappy',
    'JSON;fields=jobId,partnerRowId',
    'JSON ',
  ])('"%s" is not a valid recipe', (name) => {
    expect(() => parseRecipe(name)).toThrow('unknown recipe');
  });
});

describe('the recipes of a job', () => {
  it('are one plain recipe for a sink without special settings', () => {
    expect(names({})).toEqual(['JSON']);
  });

  it('reflect the sink’s settings, and selecting all fields equals no selection', () => {
    expect(names({ compression: 'gzip', includeFields: ['partnerRowId', 'matchMethod'] })).toEqual([
      'JSON;gzip;fields=partnerRowId,matchMethod',
    ]);
    const all = ['partnerRowId', 'referenceHotelId', 'matchMethod', 'matchConfidence'] as const;
    expect(names({ includeFields: all })).toEqual(['JSON']);
    expect(names({ includeFields: ['partnerRowId', 'referenceHotelId', 'matchMethod', 'run'] })).toEqual([
      'JSON;fields=partnerRowId,referenceHotelId,matchMethod,run',
    ]);
  });

  it('have the details of their own format only, and none that are its defaults', () => {
    const details = { csvFormulas: 'raw', parquetCodec: 'gzip' } as const;
    const of = (format: PayloadFormat, more: Partial<BodySettings>) =>
      recipesFor(format, { ...PLAIN, ...more }, 1).map(recipeName);
    expect([of('JSON', details), of('CSV', details), of('PARQUET', details)]).toEqual([
      ['JSON'],
      ['CSV;formulas=raw'],
      ['PARQUET;codec=gzip'],
    ]);
    const defaults = { csvFormulas: 'escape', parquetCodec: 'snappy' } as const;
    expect([of('CSV', defaults), of('PARQUET', defaults)]).toEqual([['CSV'], ['PARQUET']]);
  });

  it('are one per part', () => {
    expect(names({ maxRowsPerPush: 5 }, 12)).toEqual([
      'JSON;rows=5;part=1/3',
      'JSON;rows=5;part=2/3',
      'JSON;rows=5;part=3/3',
    ]);
    expect(names({ maxRowsPerPush: 12 }, 12)).toEqual(['JSON;rows=12;part=1/1']);
    expect(names({ maxRowsPerPush: 5 }, 0)).toEqual(['JSON;rows=5;part=1/1']);
  });

  it('are only the first part if there would be too many', () => {
    expect(names({ maxRowsPerPush: 1 }, MAX_PARTS)).toHaveLength(MAX_PARTS);
    expect(names({ maxRowsPerPush: 1 }, MAX_PARTS + 1)).toEqual([`JSON;rows=1;part=1/${MAX_PARTS + 1}`]);
  });
});

describe('a part', () => {
  it.each([
    [0, 5, 1],
    [1, 5, 1],
    [5, 5, 1],
    [6, 5, 2],
    [12_000, 1_000, 12],
    [12_001, 1_000, 13],
  ])('of %i rows by %i is one of %i', (rows, perPart, of) => {
    expect(partsOf(rows, perPart)).toBe(of);
  });

  it('can be read from the name', () => {
    expect(partOf('JSON;rows=5;part=3/12')).toEqual({ number: 3, of: 12 });
    expect([partOf('JSON'), partOf('CSV;gzip')]).toEqual([null, null]);
  });

  it('waits for the others only if it is the last of several', () => {
    const parts = [null, { number: 1, of: 1 }, { number: 1, of: 2 }, { number: 2, of: 2 }];
    expect(parts.map(isLastOfSeveral)).toEqual([false, false, false, true]);
  });
});
