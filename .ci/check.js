import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm run check`: all static checks. Each prints one line, and its findings if it failed; all of them run. `npm run
 * check -- lint format` runs only these. Builds first, since the page's lint needs the generated types.
 */
const CHECKS = {
  types: () => run('typescript/bin/tsc', '-p', 'tsconfig.json'),
  lint: () => run('eslint/bin/eslint.js', '--max-warnings', '0', '.'),
  format: () => run('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  layers: () => run('dependency-cruiser/bin/dependency-cruise.mjs', 'src', 'migrations', 'ormconfig.ts'),
  unused: () => run('knip/bin/knip.js', '--no-progress', '--no-config-hints'),
  openapi: checkOpenApi,
  lockfile: checkLockFile,
  schema: checkSchemaIsMigrated,
  package: checkPackage,
  audit: checkAudit,
};

const OPENAPI_PROGRAM = 'dist/src/reference-host/openapi.js';

/**
 * @returns {string
 * null} the findings
 */
function run(program, ...args) {
  return spawned(process.execPath, [join('node_modules', program), ...args]);
}

function spawned(command, args) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, shell: process.platform === 'win32' };
  const { status, error, stdout, stderr } = spawnSync(command, args, options);
  return status === 0
    ? null
    : `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`.trim() || `${command} ended with ${status}`;
}

/** The committed OpenAPI document equals the one generated from the controllers. */
function checkOpenApi() {
  if (!existsSync('src/reference-host/openapi.ts')) return null;
  const built = run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  if (built !== null) return built;
  const written = spawned(process.execPath, [OPENAPI_PROGRAM, 'dist/openapi.json']);
  if (written !== null) return written;
  const same = existsSync('docs/openapi.json') && text('docs/openapi.json') === text('dist/openapi.json');
  return same ? null : 'docs/openapi.json is not what the code says. Run: npm run openapi';
}

/** The lockfile contains no registry URLs, and `npm ci` accepts it, including optional packages of other platforms. */
function checkLockFile() {
  const addresses = text('package-lock.json').match(/"resolved": "https?:.*/g) ?? [];
  if (addresses.length > 0) {
    return `package-lock.json carries ${addresses.length} registry addresses. Run: npm install --package-lock-only`;
  }
  return spawned('npm', ['ci', '--dry-run', '--ignore-scripts', '--loglevel', 'error']);
}

/** Tables are created by migrations only: `synchronize` changes and drops whatever differs from the entities. */
function checkSchemaIsMigrated() {
  const sources = ['src', 'test', 'migrations'].flatMap((root) =>
    readdirSync(root, { recursive: true }).map((path) => join(root, String(path))),
  );
  const found = [...sources, 'ormconfig.ts'].filter(
    (path) => /\.(ts|js|mjs)$/.test(path) && existsSync(path) && /\bsynchronize:\s*true\b/.test(text(path)),
  );
  return found.length === 0 ? null : `synchronize: true in ${found.join(', ')}. Write a migration`;
}

/** Node, bundlers and TypeScript find what the packed manifest promises. Uses no registry. */
function checkPackage() {
  const folder = mkdtempSync(join(tmpdir(), 'data-sinks-pack-'));
  try {
    const packed = spawned('npm', ['pack', '--ignore-scripts', '--loglevel', 'error', '--pack-destination', folder]);
    if (packed !== null) return packed;
    const [tarball] = readdirSync(folder).map((name) => join(folder, name));
    const found = [
      run('publint/src/cli.js', 'run', tarball, '--strict'),
      run('@arethetypeswrong/cli/dist/index.js', tarball, '--no-definitely-typed', '--format', 'ascii', '--no-emoji'),
    ].filter((problem) => problem !== null);
    return found.length === 0 ? null : found.join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A registry may be unavailable; packages that could not be checked are reported, not failed. */
function checkAudit() {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const report = parsed(stdout);
  const total = report?.metadata?.vulnerabilities?.total;
  if (total === undefined) return skipped(`the registry's audit endpoint does not answer (${reasonOf(report)})`);
  return total === 0 ? null : `${total} known vulnerabilities in what is installed with the module:\n${stdout}`;
}

function reasonOf(report) {
  return report?.statusCode ?? report?.error?.code ?? report?.error?.summary ?? 'no report';
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function skipped(why) {
  return { skipped: why };
}

function text(path) {
  return readFileSync(path, 'utf8');
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in CHECKS));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}

const failed = [];
for (const [name, check] of Object.entries(CHECKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const began = Date.now();
  const problem = check();
  const seconds = `${((Date.now() - began) / 1000).toFixed(1)} s`;
  if (problem === null) {
    console.log(`ok       ${name} (${seconds})`);
  } else if (typeof problem === 'object') {
    console.log(`not run  ${name}: ${problem.skipped}`);
  } else {
    failed.push(name);
    console.log(`FAILED   ${name} (${seconds})\n${problem.replace(/^/gm, '         ')}`);
  }
}
if (failed.length > 0) {
  console.log(`Failed: ${failed.join(', ')}`);
  process.exit(1);
}
