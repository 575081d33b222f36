// @ts-check
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServices } from './services.js';

/**
 * Once before the tests of a run, however many projects name it: starts the services and tells the tests by variables
 * where they are (`test/support/services/real-services.ts` reads them). A service that cannot be had fails the suites that
 * ask for it; in CI it fails the run.
 */
export default async function globalSetup() {
  if (process.env['TEST_RUN_DIR']) return;
  process.env['TEST_RUN_DIR'] = await mkdtemp(join(tmpdir(), 'data-sinks-tests-'));
  const services = await startServices({ names: ['postgres', 'redis', 's3'] });
  /** @type {any} */ (globalThis).stopTestServices = services.stop;
  for (const note of services.notes) console.log(note);
  for (const [name, { url }] of Object.entries(services.running)) process.env[`TEST_${name.toUpperCase()}_URL`] = url;
  const missing = Object.entries(services.missing);
  for (const [name, why] of missing) process.env[`TEST_${name.toUpperCase()}_MISSING`] = why;
  if (process.env['CI'] && missing.length > 0) {
    await services.stop();
    throw new Error(missing.map(([name, why]) => `${name} is missing: ${why}`).join('\n'));
  }
}
