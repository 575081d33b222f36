import { createHash, createHmac, randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BodyThreadClient } from '../../../../src/data-sinks/payload/body-thread-client.js';

const PLAIN = { format: 'JSON', compression: 'none' } as const;
const GZIP = { format: 'JSON', compression: 'gzip' } as const;
const TEXT = Buffer.from('{"partnerRowId":"row_1","matchMethod":null},'.repeat(10_000));

/** The same bytes in chunks with memory of their own, as bodies come. */
const chunksOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    Buffer.concat([bytes.subarray(i * size, (i + 1) * size)]),
  );

describe('the thread for large bodies', () => {
  let bodyThread: BodyThreadClient;

  beforeEach(() => {
    bodyThread = new BodyThreadClient();
  });
  afterEach(() => bodyThread.close());

  // The last is small enough that Node lets its chunks share their memory.
  it.each([TEXT.length, 100_000, 7_000, 1_000])('hashes and compresses a body in chunks of %i bytes', async (size) => {
    const macs = [
      { key: 'a key', prefix: '' },
      { key: Buffer.from('another'), prefix: 'dlv_1.17.' },
    ];
    const body = bodyThread.begin(PLAIN, macs);
    const packed = await Promise.all(chunksOf(TEXT, size).map((chunk) => body.pack(chunk)));
    expect(Buffer.concat(packed.map((chunk) => inflateRawSync(chunk))).equals(TEXT)).toBe(true);
    const mac = (key: string, prefix: string) => createHmac('sha256', key).update(prefix).update(TEXT).digest();
    expect(await body.end()).toEqual({
      sha256: createHash('sha256').update(TEXT).digest('hex'),
      macs: [mac('a key', ''), mac('another', 'dlv_1.17.')],
    });
  });

  it('leaves the chunks of a compressed body unchanged', async () => {
    const bytes = randomBytes(300_000);
    const body = bodyThread.begin(GZIP);
    const packed = await Promise.all(chunksOf(bytes, 70_000).map((chunk) => body.pack(chunk)));
    expect(Buffer.concat(packed).equals(bytes)).toBe(true);
    expect((await body.end()).sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('keeps concurrent bodies apart', async () => {
    const contents = Array.from({ length: 3 }, () => randomBytes(100_000));
    const bodies = contents.map(() => bodyThread.begin(PLAIN));
    const pieces = contents.map((bytes) => chunksOf(bytes, 30_000));
    for (const i of [0, 1, 2, 3]) {
      await Promise.all(bodies.map((body, of) => body.pack(pieces[of]?.[i] ?? Buffer.alloc(0))));
    }
    const digests = await Promise.all(bodies.map((body) => body.end()));
    expect(digests.map(({ sha256 }) => sha256)).toEqual(
      contents.map((bytes) => createHash('sha256').update(bytes).digest('hex')),
    );
  });

  it('transfers a chunk’s memory, and copies a chunk that shares it', async () => {
    const body = bodyThread.begin(PLAIN);
    const [large, small] = [Buffer.alloc(10_000, 'a'), Buffer.from('small')];
    await Promise.all([body.pack(large), body.pack(small)]);
    expect([large.length, small.toString()]).toEqual([0, 'small']);
  });

  it('fails when it gets the same chunk twice', async () => {
    const body = bodyThread.begin(PLAIN);
    const chunk = Buffer.alloc(10_000);
    const again = Buffer.from(chunk.buffer);
    await body.pack(chunk);
    await expect(body.pack(again)).rejects.toThrow();
  });

  it('fails the current bodies when the thread dies, and starts another for the next body', async () => {
    const [dying, beside] = [bodyThread.begin(PLAIN), bodyThread.begin(PLAIN)];
    dying.forget();
    const failed = await Promise.allSettled([
      // A body that was not begun is none that this thread can go on with.
      dying.pack(Buffer.alloc(100)),
      beside.pack(Buffer.alloc(100)),
    ]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(beside.end()).rejects.toThrow('was not begun');
    beside.forget();
    const next = bodyThread.begin(PLAIN);
    await next.pack(Buffer.from('next'));
    expect((await next.end()).sha256).toBe(createHash('sha256').update('next').digest('hex'));
  });

  it('fails the current bodies when it is closed, and starts no more', async () => {
    const body = bodyThread.begin(PLAIN);
    const packed = expect(body.pack(Buffer.alloc(1_000_000))).rejects.toThrow('has exited');
    await bodyThread.close();
    await packed;
    await expect(body.end()).rejects.toThrow('has exited');
    expect(() => bodyThread.begin(PLAIN)).toThrow('the body thread is closed');
  });

  it('fails to start when a bundle omitted the thread’s file', () => {
    expect(() => new BodyThreadClient('../elsewhere/body-thread.cjs')).toThrow(
      /^body-thread\.cjs is not at \/.*\/elsewhere\/body-thread\.cjs or .*\. Whoever bundles nestjs-data-sinks has to copy node_modules/,
    );
  });
});
