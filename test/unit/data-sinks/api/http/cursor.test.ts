import { describe, expect, it } from '@jest/globals';
import { readCursor, toListAnswer } from '../../../../../src/data-sinks/api/http/cursor.js';

const id = 'dlv_01ARYZ6S410000000000000000';

describe('a page of a list', () => {
  it('maps its items, and its cursor leads to the next page', () => {
    const answer = toListAnswer({ items: [1, 2], nextAfterId: id }, (n) => `item ${n}`);
    expect(answer.items).toEqual(['item 1', 'item 2']);
    expect(answer.nextCursor).not.toContain('dlv_');
    expect(readCursor(answer.nextCursor ?? undefined, 'delivery')).toBe(id);
  });

  it('has no cursor at the end', () => {
    expect(toListAnswer({ items: [], nextAfterId: null }, String)).toEqual({ items: [], nextCursor: null });
  });
});

describe('a cursor', () => {
  it('may be omitted for the first page', () => {
    expect(readCursor(undefined, 'delivery')).toBeNull();
  });

  it.each([
    ['an id as it is', id],
    ['another list’s', Buffer.from('syn_01ARYZ6S410000000000000000').toString('base64url')],
    ['rubbish', '!!!'],
    ['nothing', ''],
    ['SQL', Buffer.from("dlv_' OR 1=1 --").toString('base64url')],
  ])('that is %s is refused', (_what, cursor) => {
    expect(() => readCursor(cursor, 'delivery')).toThrow(
      'invalid-cursor: Use the nextCursor of the previous page, or none for the first page.',
    );
  });
});
