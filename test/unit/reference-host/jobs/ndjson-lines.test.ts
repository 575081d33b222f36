import { describe, expect, it } from '@jest/globals';
import { MAX_LINE_BYTES, NdjsonError, readNdjson } from '../../../../src/reference-host/jobs/ndjson-lines.js';

describe('newline-delimited rows', () => {
  const text = '{"a":"é😀"}\n\n  {"b":1}  \r\n{"c":2}';
  const read = [
    { line: 1, value: { a: 'é😀' } },
    { line: 3, value: { b: 1 } },
    { line: 4, value: { c: 2 } },
  ];

  it.each([1, 2, 3, 7, 1000])('are the same however they arrive: %d bytes at a time', async (size) => {
    expect(await all(pieces(Buffer.from(text), size))).toEqual(read);
  });

  it('may be empty', async () => {
    expect(await all(pieces(Buffer.from('\n \n'), 1))).toEqual([]);
  });

  it.each([
    ['not JSON', Buffer.from('{}\n{"a":\n{}'), 2, 'is not JSON'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 1, 'is not UTF-8'],
    ['too long', Buffer.from(`{}\n"${'x'.repeat(MAX_LINE_BYTES)}"\n`), 2, 'is longer than 16384 bytes'],
    ['endless', Buffer.alloc(MAX_LINE_BYTES * 2, 'x'), 1, 'is longer than 16384 bytes'],
  ])('are refused with the line number if one is %s', async (_, bytes, line, detail) => {
    const error: unknown = await all(pieces(bytes, 1000)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NdjsonError);
    expect(error).toMatchObject({ line, detail });
  });
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of readNdjson(chunks)) lines.push(line);
  return lines;
}
