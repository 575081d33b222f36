// @ts-check
import { readFile, writeFile } from 'node:fs/promises';

/** @typedef {import('../scenarios/scenario.js').Result} Result */

const PAGE = new URL('../../../docs/reliability.md', import.meta.url);
const BEGIN = '<!-- chaos results: written by the suite -->';
const END = '<!-- end of chaos results -->';

const COLUMNS = /** @type {const} */ ([
  'deliveries',
  'attempts',
  'lost',
  'unrecorded',
  'differingBodies',
  'doubleDeliveries',
  'unaudited',
  'duplicatePosts',
]);
const HEAD =
  '| fault | deliveries | attempts | lost | without a row | bodies that differ | made twice | unaudited | duplicate POSTs | clear after |';

/** @param {readonly Result[]} results */
export function totals(results) {
  const sum = (/** @type {(typeof COLUMNS)[number]} */ column) =>
    results.reduce((total, result) => total + result[column], 0);
  return {
    deliveries: sum('deliveries'),
    attempts: sum('attempts'),
    lost: sum('lost'),
    unrecorded: sum('unrecorded'),
    differingBodies: sum('differingBodies'),
    doubleDeliveries: sum('doubleDeliveries'),
    unaudited: sum('unaudited'),
    duplicatePosts: sum('duplicatePosts'),
  };
}

/** @param {readonly Result[]} results */
export function renderTable(results) {
  const row = (
    /** @type {string} */ name,
    /** @type {ReturnType<typeof totals>} */ numbers,
    /** @type {string} */ clear,
  ) => `| ${[name, ...COLUMNS.map((column) => String(numbers[column])), clear].join(' | ')} |`;
  return [
    HEAD,
    `|---|${'---:|'.repeat(COLUMNS.length + 1)}`,
    ...results.map((result) => row(result.fault, result, `${(result.clearMs / 1_000).toFixed(1)} s`)),
    row('**all**', totals(results), ''),
  ].join('\n');
}

/**
 * Puts the results of a run into `docs/reliability.md`.
 * @param {readonly Result[]} results
 */
export async function writeReliabilityPage(results) {
  const page = await readFile(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('docs/reliability.md has lost its markers');
  await writeFile(PAGE, `${before}${BEGIN}\n\n${renderTable(results)}\n\n${END}${after}`);
}
