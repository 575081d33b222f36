// @ts-check
// The threads of `body-thread-client.ts`. Plain JavaScript, since a thread is started from a file as it is, also where the sources
// are compiled while they are loaded; CommonJS by its name, so that it runs wherever a host copies it beside a bundle.
const { createHash, createHmac } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const { deflateRawSync } = require('node:zlib');

/** @typedef {import('./thread-connection.js', { with: { 'resolution-mode': 'import' } }).ThreadRequest} ThreadRequest */
/** @typedef {import('./thread-connection.js', { with: { 'resolution-mode': 'import' } }).ThreadAnswer} ThreadAnswer */
/** @typedef {{ sha256: import('node:crypto').Hash, macs: import('node:crypto').Hmac[] }} Hashes */
/** @typedef {Extract<ThreadRequest, { kind: 'begin-parquet' }>} ParquetFile */
/** @typedef {Extract<ThreadRequest, { kind: 'rows' }>['values']} ParquetValues */
/** What is used of `hyparquet-writer`, which need not be installed. */
/** @typedef {{ index: number, getBytes(): Uint8Array }} Sink */
/** @typedef {{ write(what: { columnData: { name: string, data: unknown[] }[], rowGroupSize: number }): void, finish(): void }} Writer */
/** @typedef {{ sink: Sink, writer: Writer, file: ParquetFile, columns: unknown[][], text: number }} Parquet */

/** @type {Map<number, Hashes>} */
const bodies = new Map();
/** @type {Map<number, Parquet>} */
const files = new Map();

/**
 * Hands back the bytes that came in, too: this thread would collect them later than the other.
 * @param {Hashes} hashes
 * @param {Extract<ThreadRequest, { kind: 'pack' }>} request
 */
function pack(hashes, { bytes, deflate }) {
  hashes.sha256.update(bytes);
  for (const mac of hashes.macs) mac.update(bytes);
  const spent = /** @type {ArrayBuffer} */ (bytes.buffer);
  if (!deflate) {
    answer({ packed: bytes }, [spent]);
    return;
  }
  const packed = deflateRawSync(bytes, deflate);
  answer({ packed, spent }, [/** @type {ArrayBuffer} */ (packed.buffer), spent]);
}

/**
 * @param {ParquetFile} file
 * @returns {Promise<Parquet>}
 */
async function openFile(file) {
  const { ByteWriter, ParquetWriter } = await import(file.writer);
  // Of JavaScript: what zlib writes depends on its version and on the processor, and a file has to come out the same everywhere.
  const fflate = file.deflater === null ? null : await import(file.deflater);
  const compressors = fflate && {
    GZIP: (/** @type {Uint8Array} */ bytes) => fflate.gzipSync(bytes, { level: 6, mem: 8, mtime: 0 }),
  };
  const sink = new ByteWriter();
  const { columns, codec, createdBy } = file;
  const schema = [{ name: 'results', num_children: columns.length }, ...columns];
  const writer = new ParquetWriter({ writer: sink, schema, codec, createdBy, ...(compressors && { compressors }) });
  return { sink, writer, file, columns: columns.map(() => []), text: 0 };
}

/**
 * Row groups depend on the rows alone, and not on how many come at once.
 * @param {Parquet} parquet
 * @param {ParquetValues} values
 */
function addRows(parquet, values) {
  const { rowsPerGroup, textPerGroup } = parquet.file;
  const count = values[0]?.length ?? 0;
  for (let row = 0; row < count; row++) {
    parquet.columns.forEach((column, i) => {
      const value = values[i]?.[row] ?? null;
      if (typeof value === 'string') parquet.text += value.length;
      column.push(value);
    });
    if (rowsIn(parquet) >= rowsPerGroup || parquet.text >= textPerGroup) writeGroup(parquet);
  }
}

/** @param {Parquet} parquet */
function rowsIn({ columns }) {
  return columns[0]?.length ?? 0;
}

/** @param {Parquet} parquet */
function writeGroup(parquet) {
  const { columns, file, writer } = parquet;
  const rowGroupSize = rowsIn(parquet);
  if (rowGroupSize === 0) return;
  writer.write({ columnData: columns.map((data, i) => ({ name: file.columns[i]?.name ?? '', data })), rowGroupSize });
  parquet.columns = columns.map(() => []);
  parquet.text = 0;
}

/** @param {Parquet} parquet */
function giveWritten({ sink }) {
  const written = sink.getBytes().slice();
  sink.index = 0;
  answer({ written }, [written.buffer]);
}

/**
 * @param {ThreadAnswer} what
 * @param {ArrayBuffer[]} given
 */
function answer(what, given = []) {
  parentPort?.postMessage(what, given);
}

/**
 * @template T
 * @param {Map<number, T>} all
 * @param {number} body
 */
function begun(all, body) {
  const one = all.get(body);
  if (!one) throw new Error(`body ${body} was not begun`);
  return one;
}

/** @param {ThreadRequest} request */
async function handle(request) {
  const { kind, body } = request;
  if (kind === 'begin') {
    const macs = request.macs.map(({ key, prefix }) => createHmac('sha256', key).update(prefix));
    bodies.set(body, { sha256: createHash('sha256'), macs });
  } else if (kind === 'forget') {
    bodies.delete(body);
    files.delete(body);
  } else if (kind === 'pack') {
    pack(begun(bodies, body), request);
  } else if (kind === 'end') {
    const { sha256, macs } = begun(bodies, body);
    answer({ digests: [sha256, ...macs].map((hash) => hash.digest()) });
  } else if (kind === 'begin-parquet') {
    files.set(body, await openFile(request));
  } else {
    const parquet = begun(files, body);
    if (kind === 'rows') addRows(parquet, request.values);
    else {
      writeGroup(parquet);
      parquet.writer.finish();
    }
    giveWritten(parquet);
  }
}

// One after the other: answers come in the order of their requests. What is thrown ends this thread, and fails what waits for it.
let last = Promise.resolve();
parentPort?.on('message', (request) => {
  last = last.then(() => handle(request));
});
// A request that cannot be read would never be answered.
parentPort?.on('messageerror', (error) => {
  throw error;
});
