import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `npm run build:console`: builds the console page, from the OpenAPI document to hashed files. Its types are generated
 * from the document, so a page that uses something else does not compile. Does nothing if nothing changed.
 */
const PAGE = 'src/console/page';
const DOCUMENT = 'docs/openapi.json';
const TYPES = 'dist/console/api-schema.ts';
const BUILT = 'dist/src/console/public/index.html';
const STAMP = 'dist/console/built-from';

const state = stateOfSources();
if (existsSync(BUILT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === state) process.exit(0);

mkdirSync('dist/console', { recursive: true });
run('openapi-typescript/bin/cli.js', DOCUMENT, '--output', TYPES);
run('typescript/bin/tsc', '-p', join(PAGE, 'tsconfig.json'));
run('vite/bin/vite.js', 'build', '--config', join(PAGE, 'vite.config.ts'), '--logLevel', 'warn');
writeFileSync(STAMP, state);

/** Hash of everything that the result depends on, including the versions of the tools. */
function stateOfSources() {
  const sources = readdirSync(PAGE, { recursive: true })
    .map((path) => join(PAGE, String(path)))
    .filter((path) => statSync(path).isFile())
    .sort();
  const hash = createHash('sha256');
  for (const path of [...sources, 'src/console/console.options.ts', DOCUMENT, 'package-lock.json']) {
    hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('node_modules', program), ...args], {
    encoding: 'utf8',
  });
  if (status === 0) return;
  console.error(`${stdout}${stderr}`);
  process.exit(status ?? 1);
}
