import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { run } from '../package/support/run.js';
import { expectStatus, Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { emptyPostgres } from '../support/postgres-template.js';
import { Bucket } from '../support/s3/store.js';

const SUPPORT = fileURLToPath(new URL('../support/readers/', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/destinations/warehouses.md', import.meta.url), 'utf8');
const FIELDS = ['partnerRowId', 'referenceHotelId', 'matchMethod', 'matchConfidence'] as const;

/** Texts that readers take for something else. */
const TEXTS: readonly (string | null)[] = [
  ...['ref_1', null, 'null', 'NULL', '\\N', 'NaN', 'true', '007', '1e3', '2026-05-25', '2026-05-25T10:00:00Z'],
  ...['a,b', 'say "hi"', 'two\r\nlines', 'two\nlines', 'tab\there', ' blanks ', '\\', '\\"', '{"a":1}', '[1]', "it's"],
  ...['😀', 'e\u0301', 'עברית', 'a\u2028b', 'a\ufeffb', 'x'.repeat(256)],
];
/** CSV puts an apostrophe before these. */
const FORMULAS = ['=1+1', "'=1", '-5', '@x', '＝1'];
const CONFIDENCES = [0, 1, 0.1, 0.30000000000000004, 1e-7, 5e-324, 0.9999999999999999, null];

const ROWS = [...TEXTS, ...FORMULAS].map((text, i, all) => ({
  partnerRowId: `row ${i}: ${(text ?? 'none').slice(0, 200)}`,
  referenceHotelId: text,
  matchMethod: all[(i + 7) % all.length] ?? null,
  matchConfidence: CONFIDENCES[i % CONFIDENCES.length] ?? null,
}));
type Row = (typeof ROWS)[number];

const inCsv = (text: string | null): string | null => (FORMULAS.includes(text ?? '') ? `'${text}` : text);
const expected = (file: string): readonly Row[] =>
  file.startsWith('csv')
    ? ROWS.map((row) => ({
        ...row,
        referenceHotelId: inCsv(row.referenceHotelId),
        matchMethod: inCsv(row.matchMethod),
      }))
    : ROWS;

const FORMS = [
  ['JSONL', 'none'],
  ['JSONL', 'gzip'],
  ['CSV', 'none'],
  ['CSV', 'gzip'],
  ['PARQUET', 'none'],
] as const;
const TEXTUAL = ['jsonl', 'jsonl.gz', 'csv', 'csv.gz'];
const FILES = [...TEXTUAL, 'parquet'];

const platform = suitePlatform();
const scratch = mkdtempSync(join(tmpdir(), 'readers-'));
let bucket: Bucket;
/** Keys of the objects, by the form of what is in them. Each is a file of the scratch folder too. */
const files: Record<string, { readonly key: string; readonly name: string }> = {};
let found: Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>>;

/** Sends the rows to a sink of each form. */
async function sendAll(): Promise<void> {
  bucket = await Bucket.make();
  const customer = await platform().customer();
  for (const [format, compression] of FORMS) {
    const agent = await customer.agent();
    const config = {
      ...{ bucket: bucket.name, prefix: `${format}-${compression}/`, region: 'us-east-1', compression },
      endpointUrl: bucket.endpointUrl,
    };
    const sink = { role: 'RESULTS_SINK', type: 'S3', name: 'Lake', format, secret: bucket.keys, config };
    const { id } = expectStatus(await agent.api.post(`${agent.path}/data-sources`, sink), 201);
    const delivery = await new Sink(agent, id as string, bucket.keys.secretAccessKey).settledPush(ROWS);
    expect(delivery).toMatchObject({ status: 'DELIVERED' });
    const [key = ''] = await bucket.keysOf(config.prefix);
    const name = basename(key);
    files[`${format.toLowerCase()}${compression === 'gzip' ? '.gz' : ''}`] = { key, name };
    writeFileSync(join(scratch, name), (await bucket.get(key)).bytes);
  }
}

async function python(program: string, args: readonly string[], input = ''): Promise<string> {
  const { code, output } = await run(program, args, { cwd: scratch, input });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}: ${output}`);
  return output;
}

/** The readers are installed for this run alone, in an environment of their own. */
async function readAll(): Promise<typeof found> {
  await python('python3', ['-m', 'venv', 'readers']);
  const own = join(scratch, 'readers/bin/python');
  await python(own, ['-m', 'pip', 'install', '--quiet', '--requirement', join(SUPPORT, 'requirements.txt')]);
  const { endpointUrl, name, keys } = bucket;
  const store = { url: `${endpointUrl}/${name}`, keyId: keys.accessKeyId, secret: keys.secretAccessKey };
  const answer = await python(own, [join(SUPPORT, 'read_files.py')], JSON.stringify({ page: PAGE, store, files }));
  return JSON.parse(answer) as typeof found;
}

/** By the page's statements. PostgreSQL reads a compressed file through a program. */
async function readByPostgres(form: string, name: string): Promise<readonly Row[]> {
  const database = await emptyPostgres();
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    const [create = '', ...loads] = blocksOf('PostgreSQL');
    const [format = ''] = form.split('.');
    const load = loads.find((block) => block.startsWith(`-- ${format.toUpperCase()}`)) ?? '';
    const path = join(scratch, name);
    const source = form.endsWith('.gz') ? `PROGRAM 'gzip -dc ${path}'` : `'${path}'`;
    await client.query(create);
    await client.query(load.replace(/'results\.\w+'/, source));
    return (await client.query<Row>(`SELECT ${FIELDS.map((field) => `"${field}"`).join(', ')} FROM results`)).rows;
  } finally {
    await client.end();
    await database.drop();
  }
}

function blocksOf(heading: string): readonly string[] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```\w+\n(.*?)^```/gms)].map(([, block = '']) => block);
}

beforeAll(async () => {
  // PostgreSQL reads the files as a user of its own.
  chmodSync(scratch, 0o755);
  await sendAll();
  found = await readAll();
}, 900_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(['DuckDB', 'ClickHouse', 'pyarrow'])(
  '%s, by the statements of docs/destinations/warehouses.md',
  (reader) => {
    it.each(FILES)('reads every row, null, type and character of a file of %s', (file) => {
      expect(found[reader]?.[file]).toEqual(expected(file));
    });
  },
);

describe('PostgreSQL, by the statements of docs/destinations/warehouses.md', () => {
  it.each(TEXTUAL)('reads every row, null, type and character of a file of %s', async (file) => {
    expect(await readByPostgres(file, files[file]?.name ?? '')).toEqual(expected(file));
  });
});
