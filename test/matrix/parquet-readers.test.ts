import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MappingResultRow } from '../../src/data-sinks/domain/job-completed.js';
import { parseRecipe } from '../../src/data-sinks/domain/body/payload-recipe.js';
import { bodyChunks } from '../../src/data-sinks/payload/body-chunks.js';
import { BodyThreadClient } from '../../src/data-sinks/payload/body-thread-client.js';

const READ = fileURLToPath(new URL('../support/readers/read_parquet.py', import.meta.url));
const PACKAGES = readFileSync(new URL('../support/readers/requirements.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^(pyarrow|duckdb)==/.test(line));
/** A first installation fetches 100 MB. */
const INSTALL_LIMIT_MS = 1_200_000;

interface Reading {
  readonly columns: readonly (readonly [name: string, type: string, nullable: boolean | null])[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

const FACTS = {
  ...{ jobId: 'job_é🏨', agentId: 'agt_1', workspaceId: 'ws_1', completedAt: new Date('2026-05-25T12:34:56.789Z') },
  ...{ stats: { total: 0, matched: 0, unmatched: 0 }, run: 3 },
};
const PLAIN = ['partnerRowId', 'referenceHotelId', 'matchMethod', 'matchConfidence'] as const;

const row = (i: number): MappingResultRow => ({
  partnerRowId: `row_${String((i * 2_654_435_761) % 4_294_967_296).padStart(10, '0')}_東京🏨`,
  referenceHotelId: i % 3 === 0 ? null : i % 11 === 0 ? '' : `ref_${(i * 7_919) % 1_000_003}`,
  matchMethod: i % 3 === 0 ? null : (['STANDARD', 'FUZZY'][i % 2] ?? null),
  matchConfidence: i % 7 === 0 ? null : (i % 101) / 101,
});
const MANY = Array.from({ length: 45_000 }, (_, i) => row(i));
const WITHOUT_MATCH = Array.from({ length: 10 }, (_, i) => ({
  ...row(i),
  ...{ referenceHotelId: null, matchMethod: null, matchConfidence: null },
}));

/** Files by what is in them. The texts begin at U+FFFD in one order of characters, and at a surrogate in another. */
const FILES: readonly [what: string, recipe: string, rows: readonly MappingResultRow[]][] = [
  ['45,000 rows', 'PARQUET', MANY],
  ['45,000 rows of codec gzip', 'PARQUET;codec=gzip', MANY],
  ['no row', 'PARQUET', []],
  ['rows without a match', 'PARQUET', WITHOUT_MATCH],
  [
    'ids whose order JavaScript sees otherwise',
    'PARQUET',
    ['\uffee', '🏨', 'a'].map((id) => ({ ...row(1), partnerRowId: id })),
  ],
  ['the job with every row', 'PARQUET;codec=gzip;fields=partnerRowId,jobId,completedAt,run', MANY.slice(0, 1_000)],
];

const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'venv', '--help']).status === 0);
if (python === undefined) process.stdout.write('not run, for want of Python with venv: pyarrow, DuckDB\n');
const READERS = python === undefined ? [] : (['pyarrow', 'duckdb'] as const);

describe('a Parquet file of ours', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-readers-'));
  let readings: readonly (Readonly<Record<'pyarrow' | 'duckdb', Reading>> & { readonly last: number })[] = [];

  beforeAll(async () => {
    if (python === undefined) return;
    const venv = join(folder, 'venv');
    run(python, ['-m', 'venv', venv]);
    run(join(venv, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
    const thread = new BodyThreadClient();
    const paths: string[] = [];
    for (const [what, recipe, rows] of FILES) {
      const path = join(folder, `${what.replaceAll(/\W/g, '-')}.parquet`);
      writeFileSync(path, await fileOf(thread, recipe, rows));
      paths.push(path);
    }
    await thread.close();
    const told = JSON.parse(run(join(venv, 'bin/python'), [READ, ...paths])) as {
      readonly pyarrow: [Reading['columns'], Reading['rows']];
      readonly duckdb: [Reading['columns'], Reading['rows']];
      readonly last: number;
    }[];
    const reading = ([columns, rows]: [Reading['columns'], Reading['rows']]): Reading => ({ columns, rows });
    readings = told.map(({ pyarrow, duckdb, last }) => ({
      ...{ pyarrow: reading(pyarrow), duckdb: reading(duckdb), last },
    }));
  }, INSTALL_LIMIT_MS);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read where continuous integration runs', () => {
    if (process.env['CI'] !== undefined) expect(READERS).toHaveLength(2);
    expect(readings).toHaveLength(python === undefined ? 0 : FILES.length);
  });

  const cases = READERS.flatMap((reader) =>
    FILES.map(([what, recipe, rows], i) => ({ reader, what, recipe, rows, i })),
  );
  it.each(cases)('is read by $reader with rows, nulls and types as they were: $what', ({ reader, recipe, rows, i }) => {
    const { fields } = parseRecipe(recipe);
    const isArrow = reader === 'pyarrow';
    const text = isArrow ? 'string' : 'VARCHAR';
    const known: Readonly<Record<string, readonly [type: string, nullable: boolean]>> = {
      partnerRowId: [text, false],
      referenceHotelId: [text, true],
      matchMethod: [text, true],
      matchConfidence: [isArrow ? 'double' : 'DOUBLE', true],
      jobId: [text, false],
      completedAt: [isArrow ? 'timestamp[ms, tz=UTC]' : 'TIMESTAMP WITH TIME ZONE', false],
      run: [isArrow ? 'int32' : 'INTEGER', false],
    };
    const names = fields ?? PLAIN;
    expect(readings[i]?.[reader].columns).toEqual(
      names.map((name) => [name, known[name]?.[0], isArrow ? known[name]?.[1] : null]),
    );
    const job = { jobId: FACTS.jobId, completedAt: '2026-05-25T12:34:56.789000+00:00', run: FACTS.run };
    expect(readings[i]?.[reader].rows).toEqual(rows.map((one) => names.map((name) => ({ ...one, ...job })[name])));
  });

  it.each(READERS.length === 0 ? [] : FILES.map(([what], i) => ({ what, i })))(
    'has statistics that hide no row from a filter: $what',
    ({ i }) => {
      expect(readings[i]?.last).toBe(FILES[i]?.[2].length === 0 ? 0 : 1);
    },
  );
});

async function fileOf(thread: BodyThreadClient, recipe: string, rows: readonly MappingResultRow[]): Promise<Buffer> {
  async function* batches(): AsyncGenerator<readonly MappingResultRow[]> {
    for (let at = 0; at < rows.length; at += 1_000) yield rows.slice(at, at + 1_000);
  }
  const pieces: Buffer[] = [];
  for await (const { bytes } of bodyChunks(parseRecipe(recipe), FACTS, batches(), thread)) pieces.push(bytes);
  return Buffer.concat(pieces);
}

function run(command: string, given: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, given, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${given.join(' ')} ended with ${status}: ${stderr}${error ?? ''}`);
  return stdout;
}
