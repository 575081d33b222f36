import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { PushBody } from '../../../../src/data-sinks/egress/index.js';
import { PIECE_BYTES, pieces, readWhole } from '../../../../src/data-sinks/egress/upload.js';

function bodyOf(chunks: readonly Uint8Array[]): PushBody {
  return {
    bytes: chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
    whole: null,
    async *open() {
      yield* chunks;
    },
  };
}

async function collect(body: PushBody): Promise<Uint8Array[]> {
  const list: Uint8Array[] = [];
  for await (const piece of pieces(body)) list.push(piece);
  return list;
}

describe('the upload of a body', () => {
  it('sends pieces of limited size, the first of one byte, with every byte in place', async () => {
    const chunk = fc.oneof(fc.uint8Array({ maxLength: 10 }), fc.constant(new Uint8Array(PIECE_BYTES * 2 + 5).fill(7)));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), async (chunks) => {
        const list = await collect(bodyOf(chunks));
        expect(Buffer.concat(list).equals(Buffer.concat(chunks))).toBe(true);
        expect(list.every((piece, i) => piece.byteLength > 0 && piece.byteLength <= (i === 0 ? 1 : PIECE_BYTES))).toBe(
          true,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('sends a small body as one piece', async () => {
    const body = bodyOf([Buffer.from('ab'), Buffer.from(''), Buffer.from('c')]);
    expect(Buffer.from(await readWhole(body)).toString()).toBe('abc');
  });

  it.each([-1, 1])('one that is %i byte off is refused', async (off) => {
    const body = bodyOf([Buffer.from('abc')]);
    const wrong = { ...body, bytes: body.bytes + off };
    await expect(collect(wrong)).rejects.toMatchObject({ code: 'body_length_mismatch' });
    await expect(readWhole({ ...wrong, whole: Buffer.from('abc') })).rejects.toMatchObject({
      code: 'body_length_mismatch',
    });
  });
});
