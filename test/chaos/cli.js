// @ts-check
import { writeFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Laboratory } from './harness/laboratory.js';
import { renderTable, totals, writeReliabilityPage } from './harness/report.js';
import { LONG_SCENARIOS, playScenario, SCENARIOS, soak } from './scenarios/index.js';

/** @typedef {import('./scenarios/scenario.js').Result} Result */
/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */

/**
 * `npm run chaos -- --minutes 20 [--json FILE] [--seed NUMBER]`: every fault once, then random ones until the time is
 * up. From ten minutes on with a backlog of ten thousand jobs; below four random faults alone. Ends with 1 when anything
 * was lost, unrecorded, altered, made twice or otherwise odd.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run chaos -- --minutes N [--json FILE] [--seed WHOLE_NUMBER]');
  process.exit(2);
}

const ROUND_SECONDS = 30;
const endsAt = performance.now() + minutes * 60_000;
const named = minutes < 4 ? [] : minutes < 10 ? SCENARIOS : LONG_SCENARIOS;
/** @type {Result[]} */
const results = [];
/** @type {string[]} */
const failures = [];

/** @param {Laboratory} laboratory @param {Scenario} scenario */
async function play(laboratory, scenario) {
  try {
    const result = await playScenario(laboratory, scenario);
    results.push(result);
    const { lost, unrecorded, differingBodies, doubleDeliveries, oddities } = result;
    const wrong = lost + unrecorded + differingBodies + doubleDeliveries + oddities.length;
    if (wrong > 0) failures.push(`${scenario.fault}: ${JSON.stringify(result)}`);
    const { deliveries, duplicatePosts, clearMs } = result;
    console.log(
      `${wrong > 0 ? 'NOT OK' : 'ok'} ${scenario.fault}: ${deliveries} deliveries, ${duplicatePosts} duplicate POSTs, clear after ${clearMs} ms`,
    );
  } catch (error) {
    failures.push(String(error));
    console.log(`NOT OK ${String(error)}`);
  }
}

console.log(`seed ${seed}`);
const laboratory = await Laboratory.open();
try {
  for (const scenario of named) await play(laboratory, scenario);
  for (let round = 0; round === 0 || performance.now() < endsAt; round++) {
    const left = Math.max(Math.round((endsAt - performance.now()) / 1_000), 10);
    const seconds = Math.min(ROUND_SECONDS, left);
    await play(laboratory, soak({ seed: seed + round, seconds, say: (fault) => console.log(`   ${fault}`) }));
  }
} finally {
  await laboratory.close();
}
console.log(renderTable(results));
if (values.json)
  await writeFile(
    values.json,
    `${JSON.stringify({ seed, minutes, ...totals(results), failures, results }, null, 2)}\n`,
  );
if (named.length > 0 && failures.length === 0) await writeReliabilityPage(results);
for (const failure of failures) console.error(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
