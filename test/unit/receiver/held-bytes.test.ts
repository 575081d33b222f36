import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HeldBytes } from '../../../src/receiver/held-bytes.js';

describe('held bytes', () => {
  it('are those that were pushed, in any pieces, also after a clear', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9_000 })), fc.nat(20_000), (pieces, usualMost) => {
        const held = new HeldBytes(usualMost);
        for (let time = 0; time < 2; time++) {
          for (const piece of pieces) held.push(piece);
          expect(held.bytes().equals(Buffer.concat(pieces))).toBe(true);
          expect(held.length).toBe(held.bytes().length);
          held.clear();
          expect(held.length).toBe(0);
        }
      }),
    );
  });

  it('are copies: the original piece may change', () => {
    const held = new HeldBytes(100);
    const piece = Buffer.from('abc');
    held.push(piece);
    piece.fill('x');
    expect(held.bytes().toString()).toBe('abc');
  });
});
