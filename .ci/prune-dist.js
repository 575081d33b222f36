import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * tsc never deletes output. Files made from sources that were deleted or renamed would still run and be packed; this
 * deletes them after each build.
 */
const OUTPUT = /\.(js|js\.map|d\.ts|cjs|cjs\.map|d\.cts)$/;
/** Except the console's page, whose bundler empties its own folder. */
const BUNDLED = /\bpublic\b/;

for (const entry of existsSync('dist') ? readdirSync('dist', { recursive: true }) : []) {
  const path = String(entry);
  if (!OUTPUT.test(path) || BUNDLED.test(path)) continue;
  const source = path.replace(OUTPUT, '');
  if (!['ts', 'js', 'cjs'].some((ending) => existsSync(`${source}.${ending}`))) rmSync(join('dist', path));
}
