import { describe, expect, it } from '@jest/globals';
import { columns, type Database, rows } from '../../../../src/data-sinks/persistence/database.js';

const answering = (result: unknown): Database => ({ query: () => Promise.resolve(result as never) });

describe('the rows of a statement', () => {
  it.each([
    ['SELECT and INSERT', [{ id: 1 }], [{ id: 1 }]],
    ['UPDATE and DELETE, which TypeORM answers with a count', [[{ id: 1 }], 1], [{ id: 1 }]],
    ['UPDATE of nothing', [[], 0], []],
    ['SELECT of nothing', [], []],
    ['SELECT of two rows', [{ id: 1 }, { id: 2 }], [{ id: 1 }, { id: 2 }]],
  ])('of %s', async (_what, result, expected) => {
    expect(await rows(answering(result), 'SELECT')).toEqual(expected);
  });
});

describe('columns', () => {
  it('are one array per column, in the order of the items', () => {
    const items = [
      { a: 1, b: null },
      { a: 2, b: 'x' },
    ];
    expect(
      columns(
        items,
        (i) => i.a,
        (i) => i.b,
      ),
    ).toEqual([
      [1, 2],
      [null, 'x'],
    ]);
    expect(columns([], (i) => i)).toEqual([[]]);
  });
});
