import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Builds before a program of `dist` runs, unless nothing has changed since the last successful build. Compares the
 * content of files, not their times, which `git checkout` changes. `npm run build` is this with `--always`.
 */
const SOURCES = [
  ...['src', 'migrations', 'ormconfig.ts', 'docs/openapi.json'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
  ...['.ci/build-commonjs.js', '.ci/build-console.js', '.ci/prune-dist.js'],
];
/** Some outputs of a build: if one is missing, `dist` was modified. */
const MADE = ['dist/src/main.js', 'dist/cjs/package.json', 'dist/src/console/public/index.html'];
const STAMP = 'dist/built-from';

/** Computed before the build: a file changed during it is built next time. */
const state = stateOfSources();
if (process.argv.includes('--always') || isStale()) {
  // A failed build leaves incomplete output.
  rmSync(STAMP, { force: true });
  const shell = process.platform === 'win32';
  const { status } = spawnSync('npm', ['run', '--silent', 'build:steps'], { stdio: 'inherit', shell });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync('dist', { recursive: true });
  writeFileSync(STAMP, state);
}

function isStale() {
  if (MADE.some((path) => !existsSync(path))) return true;
  return !existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== state;
}

function stateOfSources() {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap(filesOf).sort()) {
    hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function filesOf(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
