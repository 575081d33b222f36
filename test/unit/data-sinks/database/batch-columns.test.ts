import { describe, expect, it } from '@jest/globals';
import { BatchColumns } from '../../../../src/data-sinks/database/batch-columns.js';

interface Item {
  readonly name: string;
  readonly count: number | null;
}

const COLUMNS = new BatchColumns<Item>({
  item_name: ['text', ({ name }) => name],
  item_count: ['int', ({ count }) => count],
});

describe('the columns of a batch', () => {
  it('are one array of each column’s type, from a given parameter on', () => {
    expect(COLUMNS.unnest('i')).toBe('unnest($1::text[], $2::int[]) AS i (item_name, item_count)');
    expect(COLUMNS.unnest('i', 4)).toBe('unnest($4::text[], $5::int[]) AS i (item_name, item_count)');
    expect(COLUMNS.names).toBe('item_name, item_count');
    expect(COLUMNS.length).toBe(2);
  });

  it('have the values of all items, in the order of the items', () => {
    const items = [
      { name: 'one', count: 1 },
      { name: 'none', count: null },
    ];
    expect(COLUMNS.valuesOf(items)).toEqual([
      ['one', 'none'],
      [1, null],
    ]);
    expect(COLUMNS.valuesOf([])).toEqual([[], []]);
  });
});
