import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { PayloadFacts } from '../../../../src/data-sinks/domain/body/layout.js';
import { parseRecipe } from '../../../../src/data-sinks/domain/body/payload-recipe.js';
import { InvalidResultsError } from '../../../../src/data-sinks/domain/body/result-row.js';
import type { MappingResultRow } from '../../../../src/data-sinks/domain/job-completed.js';
import { bodyChunks, CHUNK_BYTES } from '../../../../src/data-sinks/payload/body-chunks.js';
import { BodyThreadClient } from '../../../../src/data-sinks/payload/body-thread-client.js';
import { readParquet } from '../../../support/parquet/read-back.js';
import { WRITE_FILE, WRITTEN } from '../../../support/parquet/written.js';

const run = promisify(execFile);
const THREAD_FILE = fileURLToPath(new URL('../../../../src/data-sinks/payload/body-thread.cjs', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../../../package.json', import.meta.url));

const facts: PayloadFacts = {
  jobId: 'job_1é🏨',
  agentId: 'agt_1',
  workspaceId: 'ws_1',
  completedAt: new Date('2026-05-25T12:34:56.789Z'),
  stats: { total: 3, matched: 2, unmatched: 1 },
  run: 2,
};
const ROWS: readonly MappingResultRow[] = [
  { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: 0.875 },
  { partnerRowId: 'Hôtel "Süd", 東京\n🏨', referenceHotelId: '', matchMethod: '=1+1', matchConfidence: 1e-7 },
  { partnerRowId: 'row_3', referenceHotelId: null, matchMethod: null, matchConfidence: null },
];
const row = (i: number): MappingResultRow => ({
  partnerRowId: `row_${String((i * 2_654_435_761) % 4_294_967_296).padStart(10, '0')}`,
  referenceHotelId: i % 3 === 0 ? null : `ref_${String((i * 7_919) % 1_000_003)}`,
  matchMethod: i % 3 === 0 ? null : (['STANDARD', 'FUZZY'][i % 2] ?? null),
  matchConfidence: i % 7 === 0 ? null : (i % 101) / 101,
});
const MANY = Array.from({ length: 45_000 }, (_, i) => row(i));

const thread = new BodyThreadClient();
afterAll(() => thread.close());

async function bodyOf(recipe: string, rows: readonly MappingResultRow[], batch = 1_000): Promise<Buffer[]> {
  async function* stream(): AsyncGenerator<readonly MappingResultRow[]> {
    for (let at = 0; at < rows.length; at += batch) yield rows.slice(at, at + batch);
  }
  const chunks: Buffer[] = [];
  let said = 0;
  for await (const { bytes, rowsSoFar } of bodyChunks(parseRecipe(recipe), facts, stream(), thread)) {
    chunks.push(bytes);
    said = rowsSoFar;
  }
  expect(said).toBe(rows.length);
  return chunks;
}

const fileOf = async (recipe: string, rows: readonly MappingResultRow[], batch?: number): Promise<Buffer> =>
  Buffer.concat(await bodyOf(recipe, rows, batch));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a Parquet file', () => {
  it('has the documented columns, and reads back as the rows it was made of', async () => {
    const { columns, rows, codecs } = await readParquet(await fileOf('PARQUET', ROWS));
    expect(columns).toEqual([
      ['partnerRowId', 'BYTE_ARRAY', 'STRING', false],
      ['referenceHotelId', 'BYTE_ARRAY', 'STRING', true],
      ['matchMethod', 'BYTE_ARRAY', 'STRING', true],
      ['matchConfidence', 'DOUBLE', null, true],
    ]);
    expect(rows).toEqual(ROWS);
    expect(codecs).toEqual(['SNAPPY']);
  });

  it('has the chosen fields, and those of its job with every row', async () => {
    const recipe = 'PARQUET;codec=gzip;fields=partnerRowId,matchConfidence,jobId,completedAt,run';
    const { columns, rows, codecs } = await readParquet(await fileOf(recipe, ROWS));
    expect(columns).toEqual([
      ['partnerRowId', 'BYTE_ARRAY', 'STRING', false],
      ['matchConfidence', 'DOUBLE', null, true],
      ['jobId', 'BYTE_ARRAY', 'STRING', false],
      ['completedAt', 'INT64', 'TIMESTAMP', false],
      ['run', 'INT32', null, false],
    ]);
    const { jobId, completedAt, run } = facts;
    expect(rows).toEqual(
      ROWS.map(({ partnerRowId, matchConfidence }) => ({ partnerRowId, matchConfidence, jobId, completedAt, run })),
    );
    expect(codecs).toEqual(['GZIP']);
  });

  it('of a job without rows has its columns and no row', async () => {
    for (const recipe of ['PARQUET', 'PARQUET;codec=gzip']) {
      const { columns, rows, groups } = await readParquet(await fileOf(recipe, []));
      expect([columns.length, rows, groups]).toEqual([4, [], []]);
    }
  });

  it('reads back whole when it has several row groups, and comes in chunks of bounded size', async () => {
    const chunks = await bodyOf('PARQUET', MANY);
    const { rows, groups } = await readParquet(Buffer.concat(chunks));
    expect(groups).toEqual([20_000, 20_000, 5_000]);
    expect(rows).toEqual(MANY);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1.25 * CHUNK_BYTES);
  });

  it('ends a row group early where texts are long, so that memory stays bounded', async () => {
    const long = Array.from({ length: 30 }, (_, i) => ({ ...row(i), partnerRowId: `${i}`.padEnd(1_000_000, 'x') }));
    const { rows, groups } = await readParquet(await fileOf('PARQUET', long));
    expect(groups).toEqual([9, 9, 9, 3]);
    expect(rows.map(({ partnerRowId }) => partnerRowId)).toEqual(long.map(({ partnerRowId }) => partnerRowId));
  });

  // What is stored, signed and sent again must never come out otherwise: not with another Node, not with another writer.
  it.each([
    ['PARQUET', '5c88e14e2318dcb8649e99695ec4c3657e8a2a42ffdc1c64614c49444100e60b'],
    ['PARQUET;codec=gzip', 'da32d7fd7dbf0ab1a37f931e79204cbdffe1a3c2efe2f526927ed8d382da04c0'],
    [
      'PARQUET;fields=partnerRowId,jobId,completedAt,run',
      'eafc170362606141c930a688dfcc44b377c922c50b3deadcb5c71872c2ef82f7',
    ],
  ])('in %s has exactly the recorded bytes, for any size of batches', async (recipe, expected) => {
    for (const batch of [45_000, 7_001, 313]) expect(sha256(await fileOf(recipe, MANY, batch))).toBe(expected);
  });

  it('is the same in every process', async () => {
    const written = [1, 2].map(() => run(process.execPath, [WRITE_FILE, THREAD_FILE, PACKAGE]));
    for (const { stdout } of await Promise.all(written)) expect(stdout).toBe(WRITTEN);
  });

  it('has one form of zero', async () => {
    const zero = [{ ...row(1), matchConfidence: -0 }];
    const { rows } = await readParquet(await fileOf('PARQUET', zero));
    expect(Object.is(rows[0]?.matchConfidence, 0)).toBe(true);
  });

  it.each([
    [{ referenceHotelId: 7 }, 'row row_9 whose referenceHotelId is a number'],
    [{ matchConfidence: 1.5 }, 'row row_9 whose matchConfidence is 1.5'],
    [{ matchMethod: 'half \ud83c of a character' }, 'row row_9 whose matchMethod has half of a surrogate pair'],
  ])('refuses a row with %j before a byte leaves, and names row and field', async (part, said) => {
    const bad = { ...row(1), partnerRowId: 'row_9', ...part } as unknown as MappingResultRow;
    const made = fileOf('PARQUET', [...MANY.slice(0, 25_000), bad]);
    await expect(made).rejects.toThrow(InvalidResultsError);
    await expect(made).rejects.toThrow(said);
    // The thread goes on with others.
    expect((await readParquet(await fileOf('PARQUET', ROWS))).rows).toEqual(ROWS);
  });

  it('is written beside others in the same thread', async () => {
    const recipes = ['PARQUET', 'PARQUET;codec=gzip', 'PARQUET;fields=partnerRowId'];
    const alone: string[] = [];
    for (const recipe of recipes) alone.push(sha256(await fileOf(recipe, MANY)));
    const together = await Promise.all(recipes.map(async (recipe) => sha256(await fileOf(recipe, MANY))));
    expect(together).toEqual(alone);
  });

  it('fails as our own failure when the thread dies, and the next one is written', async () => {
    async function* dying(): AsyncGenerator<readonly MappingResultRow[]> {
      yield MANY.slice(0, 1_000);
      throw new Error('the host’s stream broke');
    }
    const chunks = bodyChunks(parseRecipe('PARQUET'), facts, dying(), thread);
    await expect(chunks.next()).rejects.toThrow('the host’s stream broke');
    const unreadable = thread.beginParquet({
      ...{ columns: [], codec: 'SNAPPY', rowsPerGroup: 1, textPerGroup: 1, createdBy: '' },
      ...{ writer: 'file:///not/there.js', deflater: null },
    });
    await expect(unreadable.end()).rejects.toThrow('not/there.js');
    expect((await readParquet(await fileOf('PARQUET', ROWS))).rows).toEqual(ROWS);
  });
});
