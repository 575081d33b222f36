import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * tsc never deletes. What it once made from a file that is gone or renamed would still run, and be packed: this deletes
 * it, after each build.
 */
const OUTPUT = /\.(js|js\.map|d\.ts)$/;
/** Not tsc's: the console's page, whose bundler empties its folder itself. */
const BUNDLED = /\bpublic\b/;

for (const entry of existsSync('dist') ? readdirSync('dist', { recursive: true }) : []) {
  const path = String(entry);
  if (!OUTPUT.test(path) || BUNDLED.test(path)) continue;
  const source = path.replace(OUTPUT, '');
  if (!existsSync(`${source}.ts`) && !existsSync(`${source}.js`)) rmSync(join('dist', path));
}
