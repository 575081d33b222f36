// @ts-check
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import startServices from '../../support/services/global-setup.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const SOURCES = ['src', 'migrations'];
const BUILD_INFO = 'dist/build.tsbuildinfo';

/** Once before the project: the services, and the package as `npm publish` would send it. */
export default async function globalSetup() {
  if (isStale()) npm(['run', 'build']);
  await startServices();
  // The scripts would build once more.
  const packed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', process.env['TEST_RUN_DIR'] ?? '']);
  process.env['TEST_PACKAGE'] = packed.slice(packed.indexOf('['));
}

/** `npm test` has built; whoever runs this project alone may have not. */
function isStale() {
  const built = statSync(join(ROOT, BUILD_INFO), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.flatMap((root) =>
    readdirSync(join(ROOT, root), { recursive: true }).map((path) => join(ROOT, root, String(path))),
  ).some((path) => statSync(path, { throwIfNoEntry: false })?.isFile() && statSync(path).mtimeMs > built);
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
