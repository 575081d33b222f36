import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Writes a Parquet file with the module's thread and prints the SHA-256 of each codec: `node write-file.mjs <thread file>
 * <a file of the package that has hyparquet-writer and fflate>`. Plain JavaScript, for versions of Node that know no TypeScript.
 */
const [, , threadFile, from] = process.argv;
const { resolve } = createRequire(from);
const urlOf = (name) => pathToFileURL(resolve(name)).href;

const COLUMNS = [
  { name: 'partnerRowId', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'matchMethod', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'matchConfidence', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
];
/** The same numbers everywhere. */
const valuesOf = (count) => [
  Array.from({ length: count }, (_, i) => `row_${(i * 2_654_435_761) % 4_294_967_296}_é🏨`),
  Array.from({ length: count }, (_, i) => ['STANDARD', 'FUZZY', null][i % 3]),
  Array.from({ length: count }, (_, i) => (i % 5 === 0 ? null : ((i * 7_919) % 10_007) / 10_007)),
];

for (const codec of ['SNAPPY', 'GZIP']) {
  const thread = new Worker(threadFile, { execArgv: [] });
  const hash = createHash('sha256');
  const file = {
    ...{ columns: COLUMNS, codec, rowsPerGroup: 5_000, textPerGroup: 1_000_000, createdBy: 'test version 1' },
    ...{ writer: urlOf('hyparquet-writer'), deflater: urlOf('fflate') },
  };
  const ended = new Promise((done, failed) => {
    let answers = 0;
    thread.on('message', ({ written }) => {
      hash.update(written);
      if (++answers === 2) done();
    });
    thread.on('error', failed);
  });
  thread.postMessage({ kind: 'begin-parquet', body: 1, ...file });
  thread.postMessage({ kind: 'rows', body: 1, values: valuesOf(12_000) });
  thread.postMessage({ kind: 'end-parquet', body: 1 });
  await ended;
  await thread.terminate();
  console.log(codec, hash.digest('hex'));
}
