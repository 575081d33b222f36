// @ts-check
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import startServices from '../../support/services/global-setup.js';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Once before the project: the services, and the package as `npm publish` would send it. */
export default async function globalSetup() {
  // `npm test` has built; whoever runs this project alone may have not.
  const built = spawnSync(process.execPath, ['.ci/build-if-stale.js'], { cwd: ROOT, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('npm run build failed');
  await startServices();
  // The scripts would build once more.
  const run = process.env['TEST_RUN_DIR'] ?? '';
  const packed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', run]);
  // Not in the environment: it is longer than a variable may be.
  writeFileSync(join(run, 'packed.json'), packed.slice(packed.indexOf('[')));
}

/** @param {readonly string[]} args */
function npm(args) {
  const { status, stdout, stderr } = spawnSync('npm', [...args, '--loglevel', 'error'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}
