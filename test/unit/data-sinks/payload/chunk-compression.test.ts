import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compress, decompress } from '../../../../src/data-sinks/payload/chunk-compression.js';

const PLAIN = { format: 'JSON', compression: 'none' } as const;
const GZIP = { format: 'JSON', compression: 'gzip' } as const;
const text = (bytes: number) =>
  Buffer.from('{"partnerRowId":"row_1","matchMethod":null},'.repeat(bytes / 44 + 1)).subarray(0, bytes);

describe('a compressed chunk', () => {
  it.each([0, 1, 1_000, 32 * 1024 - 1, 32 * 1024, 256 * 1024, 1024 * 1024])(
    'of %i bytes comes back as it was',
    async (size) => {
      for (const bytes of [text(size), randomBytes(size)]) {
        const stored = await compress(bytes, PLAIN);
        expect((await decompress(stored, PLAIN)).equals(bytes)).toBe(true);
      }
    },
  );

  it('of results has at most a fifth of its size', async () => {
    expect((await compress(text(256 * 1024), PLAIN)).length).toBeLessThan((256 * 1024) / 5);
  });

  it('of a body that is compressed itself is stored unchanged', async () => {
    const bytes = text(1_000);
    expect(await compress(bytes, GZIP)).toBe(bytes);
    expect(await decompress(bytes, GZIP)).toBe(bytes);
  });

  it('with damaged bytes is refused', async () => {
    await expect(decompress(Buffer.from([0xff, 0xff, 0xff]), PLAIN)).rejects.toThrow();
    await expect(decompress((await compress(text(1_000), PLAIN)).subarray(0, 10), PLAIN)).rejects.toThrow();
  });
});
