// @ts-check
import { readFileSync } from 'node:fs';

/**
 * What the receiver saw, POST by POST. `begun`: its head arrived; `arrived`: its body arrived whole; `answered`: an answer
 * was given, which its sender may or may not have lived to read.
 *
 * @typedef {object} LedgerLine
 * @property {'begun' | 'arrived' | 'answered'} event
 * @property {number} at milliseconds since 1970
 * @property {string} path
 * @property {string} delivery
 * @property {number} attempt
 * @property {string | null} part as its header says, `2/3`
 * @property {string} sha256
 * @property {string | null} jobId as the body says
 * @property {boolean} signed whether the customer's check passes
 * @property {number[]} keys which of the customer's secrets it is signed with, the one in force first; -1 for a stranger
 * @property {number} signedAt milliseconds since 1970, as the signature says
 * @property {number} clockOffS how far the signature's time is ahead of the receiver's
 * @property {number} status
 */

/** @param {string} path @returns {LedgerLine[]} */
export function readLedger(path) {
  const text = readFileSync(path, 'utf8');
  // The last line may be half written.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /** @type {LedgerLine} */ (JSON.parse(line)));
}
