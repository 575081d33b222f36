import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MappingResultRow } from '../../../../src/data-sinks/domain/job-completed.js';
import type { PayloadFacts } from '../../../../src/data-sinks/domain/body/layout.js';
import { payloadLayout } from '../../../../src/data-sinks/domain/body/payload-layout.js';
import { parseRecipe } from '../../../../src/data-sinks/domain/body/payload-recipe.js';
import { bodyChunks, CHUNK_BYTES } from '../../../../src/data-sinks/payload/body-chunks.js';
import type { BodyThreadClient } from '../../../../src/data-sinks/payload/body-thread-client.js';
import type { BodyChunk } from '../../../../src/data-sinks/payload/row-slices.js';
import { stub } from '../../../support/stub.js';

const PLAIN = parseRecipe('JSON');
const layout = payloadLayout({ format: 'JSON', fields: null });
const noThread = stub<BodyThreadClient>({});
const facts: PayloadFacts = {
  jobId: 'job_1',
  agentId: 'agt_1',
  workspaceId: 'ws_1',
  completedAt: new Date('2026-05-25T12:34:56Z'),
  stats: { total: 2, matched: 1, unmatched: 1 },
};
const row = (i: number): MappingResultRow => ({
  partnerRowId: `row_${i}`,
  referenceHotelId: i % 3 === 0 ? null : `ref_${i}`,
  matchMethod: i % 3 === 0 ? null : 'STANDARD',
  matchConfidence: null,
});
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i));

async function chunksOf(batches: readonly (readonly MappingResultRow[])[]): Promise<BodyChunk[]> {
  async function* stream(): AsyncGenerator<readonly MappingResultRow[]> {
    yield* batches;
  }
  const chunks: BodyChunk[] = [];
  for await (const chunk of bodyChunks(PLAIN, facts, stream(), noThread)) chunks.push(chunk);
  return chunks;
}

function inBatches(all: readonly MappingResultRow[], sizes: readonly number[]): MappingResultRow[][] {
  const batches: MappingResultRow[][] = [];
  for (let at = 0, i = 0; at < all.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    batches.push(all.slice(at, at + size));
    at += size;
  }
  return batches;
}

const textOf = (chunks: readonly BodyChunk[]) => Buffer.concat(chunks.map(({ bytes }) => bytes)).toString('utf8');
const whole = (all: readonly MappingResultRow[]) =>
  `${layout.head(facts)}${all.length === 0 ? '' : layout.rows(all, facts)}${layout.tail(false)}`;

describe('the chunks of a body', () => {
  it.each<[string, readonly (readonly MappingResultRow[])[]]>([
    ['no batch', []],
    ['one empty batch', [[]]],
    ['only empty batches', [[], [], []]],
  ])('of a job without rows are one chunk, from %s', async (_what, batches) => {
    const chunks = await chunksOf(batches);
    expect(chunks.map(({ rowsSoFar }) => rowsSoFar)).toEqual([0]);
    expect(textOf(chunks)).toBe(whole([]));
  });

  it('have the same text for any batches, including empty ones', async () => {
    const count = fc.nat(60);
    const sizes = fc.array(fc.nat(13), { minLength: 1, maxLength: 5 }).filter((some) => some.some((size) => size > 0));
    await fc.assert(
      fc.asyncProperty(count, sizes, async (n, batchSizes) => {
        expect(textOf(await chunksOf(inBatches(rows(n), batchSizes)))).toBe(whole(rows(n)));
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 499, 500, 501, 40_000])('of 40,000 rows in batches of %i are small, whole and counted', async (size) => {
    const all = rows(40_000);
    const chunks = await chunksOf(inBatches(all, [size]));
    expect(textOf(chunks)).toBe(whole(all));
    expect(chunks.length).toBeGreaterThan(3);
    // A chunk is closed by the piece of at most 500 rows that fills it.
    for (const { bytes } of chunks) expect(bytes.length).toBeLessThan(CHUNK_BYTES + 500 * 120);
    for (const { bytes } of chunks.slice(0, -1)) expect(bytes.length).toBeGreaterThanOrEqual(CHUNK_BYTES);
    const counts = chunks.map(({ rowsSoFar }) => rowsSoFar);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(40_000);
  });

  it('never split a character', async () => {
    const all = Array.from({ length: 30_000 }, (_, i) => ({ ...row(i), partnerRowId: `row_東京_🏨_${i}` }));
    const chunks = await chunksOf(inBatches(all, [777]));
    expect(chunks.map(({ bytes }) => bytes.toString('utf8')).join('')).toBe(whole(all));
  });

  it('request the next rows only after the previous chunk was taken', async () => {
    let asked = 0;
    async function* stream(): AsyncGenerator<readonly MappingResultRow[]> {
      for (;;) {
        asked++;
        yield rows(500);
      }
    }
    const chunks = bodyChunks(PLAIN, facts, stream(), noThread);
    await chunks.next();
    const afterOne = asked;
    await chunks.next();
    expect(asked).toBeLessThanOrEqual(afterOne * 2);
    await chunks.return(undefined);
  });
});
