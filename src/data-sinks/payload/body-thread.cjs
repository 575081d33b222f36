// @ts-check
// The thread of `body-thread-client.ts`. Plain JavaScript, since a thread is started from a file as it is, also where the sources
// are compiled while they are loaded; CommonJS by its name, so that it runs wherever a host copies it beside a bundle.
const { createHash, createHmac } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const { deflateRawSync } = require('node:zlib');

/** @typedef {import('./body-thread-client.js', { with: { 'resolution-mode': 'import' } }).ThreadRequest} ThreadRequest */
/** @typedef {import('./body-thread-client.js', { with: { 'resolution-mode': 'import' } }).ThreadAnswer} ThreadAnswer */
/** @typedef {{ sha256: import('node:crypto').Hash, macs: import('node:crypto').Hmac[] }} Hashes */

/** @type {Map<number, Hashes>} */
const bodies = new Map();

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
 * @param {ThreadAnswer} what
 * @param {ArrayBuffer[]} given
 */
function answer(what, given = []) {
  parentPort?.postMessage(what, given);
}

/** @param {ThreadRequest} request */
function handle(request) {
  if (request.kind === 'begin') {
    const macs = request.macs.map(({ key, prefix }) => createHmac('sha256', key).update(prefix));
    bodies.set(request.body, { sha256: createHash('sha256'), macs });
    return;
  }
  if (request.kind === 'forget') {
    bodies.delete(request.body);
    return;
  }
  const hashes = bodies.get(request.body);
  if (!hashes) throw new Error(`body ${request.body} was not begun`);
  if (request.kind === 'pack') pack(hashes, request);
  else answer({ digests: [hashes.sha256, ...hashes.macs].map((hash) => hash.digest()) });
}

parentPort?.on('message', handle);
// A request that cannot be read would never be answered. What is thrown here ends this thread, and fails what waits for it.
parentPort?.on('messageerror', (error) => {
  throw error;
});
