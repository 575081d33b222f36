// @ts-check
import { rm } from 'node:fs/promises';

/** Once after the tests of a run: what `global-setup.js` started and made. */
export default async function globalTeardown() {
  const directory = process.env['TEST_RUN_DIR'];
  if (!directory) return;
  delete process.env['TEST_RUN_DIR'];
  await /** @type {any} */ (globalThis).stopTestServices?.();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
