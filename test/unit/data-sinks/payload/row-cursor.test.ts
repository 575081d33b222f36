import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow } from '../../../../src/data-sinks/domain/job-completed.js';
import { RowCursor } from '../../../../src/data-sinks/payload/row-cursor.js';

const row = (i: number): MappingResultRow => ({
  ...{ partnerRowId: `row_${i}`, referenceHotelId: null },
  ...{ matchMethod: null, matchConfidence: null },
});

/** Batches of these sizes, counted from row 0, and whether their reading was ended. */
function source(sizes: readonly number[]) {
  const seen = { closed: false };
  async function* batches(): AsyncGenerator<readonly MappingResultRow[]> {
    let next = 0;
    try {
      for (const size of sizes) yield Array.from({ length: size }, () => row(next++));
    } finally {
      seen.closed = true;
    }
  }
  return { cursor: new RowCursor(batches()), seen };
}

async function taken(cursor: RowCursor, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const rows of cursor.take(count)) ids.push(...rows.map(({ partnerRowId }) => partnerRowId));
  return ids;
}

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `row_${from + i}`);

describe('a cursor over the rows of a job', () => {
  it('returns each row once, in portions of any size', async () => {
    const some = fc.array(fc.nat(7), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(some, fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }), async (sizes, portions) => {
        const { cursor } = source(sizes);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        let at = 0;
        for (const portion of portions) {
          const end = Math.min(at + portion, total);
          expect(await taken(cursor, portion)).toEqual(ids(at, end));
          at = end;
        }
        expect(await taken(cursor, Infinity)).toEqual(ids(at, total));
      }),
    );
  });

  it('skips rows', async () => {
    const { cursor } = source([3, 0, 4, 2]);
    await cursor.skip(5);
    expect(await taken(cursor, 2)).toEqual(ids(5, 7));
    await cursor.skip(100);
    expect(await taken(cursor, 2)).toEqual([]);
  });

  it('reads no further than requested, and closes the stream', async () => {
    const { cursor, seen } = source([2, 2, 2]);
    expect(await taken(cursor, 2)).toEqual(ids(0, 2));
    expect(seen.closed).toBe(false);
    await cursor.close();
    expect(seen.closed).toBe(true);
    expect(await taken(cursor, 2)).toEqual([]);
  });
});
