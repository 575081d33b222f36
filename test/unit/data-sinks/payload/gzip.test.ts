import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { gzipped, gzipWhole } from '../../../../src/data-sinks/payload/gzip.js';

const BLOCK = 64 * 1024;
const text = (rows: number) =>
  Buffer.from(Array.from({ length: rows }, (_, i) => `{"partnerRowId":"row_${i * 7_919}"}\n`).join(''));

/** Compresses what comes in chunks of these sizes, over and over. */
async function compressed(bytes: Buffer, ...sizes: readonly number[]): Promise<Buffer[]> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? 1;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const pieces: Buffer[] = [];
  for await (const piece of gzipped(chunks(), BLOCK)) pieces.push(piece);
  return pieces;
}

describe('a compressed body', () => {
  it.each([0, 1, 1_000, 200_000])('of %i rows is what it was, once it is taken apart', async (rows) => {
    const pieces = await compressed(text(rows), 10_000);
    expect(gunzipSync(Buffer.concat(pieces)).equals(text(rows))).toBe(true);
  });

  it.each([1_000, 100_000])('of %i rows is the same whatever chunks it came in, and every time', async (rows) => {
    const bytes = text(rows);
    const hashes = new Set<string>();
    for (const sizes of [[1_000], [77, 50_000, 1], [BLOCK], [BLOCK - 1], [bytes.length], [10 * BLOCK]]) {
      const whole = Buffer.concat(await compressed(bytes, ...sizes));
      hashes.add(createHash('sha256').update(whole).digest('hex'));
    }
    expect(hashes.size).toBe(1);
  });

  it.each([10, 100_000])('of %i rows has a header that tells neither time nor machine', async (rows) => {
    const [first] = await compressed(text(rows), 5_000);
    // RFC 1952: magic, deflate, no flags, no time, no hint, unknown operating system.
    expect([...(first ?? Buffer.alloc(0)).subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  it('that is small is the same whether it was built in memory or streamed', async () => {
    const bytes = text(100);
    expect((await gzipWhole(bytes)).equals(Buffer.concat(await compressed(bytes, 7)))).toBe(true);
  });

  it('has pieces of one size for any input chunks', async () => {
    const pieces = await compressed(randomBytes(10 * BLOCK), 1_000, 100_000);
    expect(pieces.length).toBeGreaterThan(9);
    for (const { length } of pieces.slice(0, -1)) expect(length).toBe(BLOCK);
  });

  it('reads more input only as its pieces are taken', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        asked++;
        yield randomBytes(BLOCK);
      }
    }
    const pieces = gzipped(endless(), BLOCK);
    await pieces.next();
    expect(asked).toBeLessThan(20);
    await pieces.return(undefined);
  });

  it.each([0, 5])('ends with the error of what it is made from, after %i blocks', async (blocks) => {
    async function* failing(): AsyncGenerator<Buffer> {
      for (let i = 0; i < blocks; i++) yield randomBytes(BLOCK);
      throw new Error('the host went away');
    }
    const read = async (): Promise<void> => {
      for await (const piece of gzipped(failing(), BLOCK)) expect(piece.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toThrow('the host went away');
  });
});
