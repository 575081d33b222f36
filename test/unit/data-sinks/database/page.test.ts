import { describe, expect, it } from '@jest/globals';
import { toPage } from '../../../../src/data-sinks/database/page.js';

const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `id_${i}` }));

describe('a page', () => {
  it.each([
    [0, 3, 0, null],
    [2, 3, 2, null],
    [3, 3, 3, null],
    [4, 3, 3, 'id_2'],
    [2, 1, 1, 'id_0'],
  ])('of %i rows found with a limit of %i has %i items and continues after %j', (found, limit, items, nextAfterId) => {
    const page = toPage(rows(found), limit, ({ id }) => id);
    expect(page).toEqual({ items: rows(items).map(({ id }) => id), nextAfterId });
  });
});
