import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * For the image: makes dependencies of the packages that the built host imports, so that `npm prune --omit=dev` leaves
 * them. As a library the package leaves most of them to its host. Changes package.json, in the image's build alone.
 */
const IMPORTS = /(?:from|import)\s*\(?\s*['"]((?:@[\w.-]+\/)?[\w.-]+)/g;

/** Loaded by name, and not by an import: by TypeORM, and by Nest's adapters. */
const BY_NAME = ['pg', '@nestjs/platform-express', 'reflect-metadata', 'swagger-ui-dist'];

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const imported = new Set(BY_NAME);
for (const entry of readdirSync('dist', { recursive: true })) {
  const path = String(entry);
  if (!path.endsWith('.js') || path.startsWith('cjs')) continue;
  for (const [, name] of readFileSync(join('dist', path), 'utf8').matchAll(IMPORTS)) imported.add(name);
}
const { devDependencies, dependencies } = manifest;
const kept = Object.entries(devDependencies).filter(([name]) => imported.has(name));
manifest.dependencies = { ...dependencies, ...Object.fromEntries(kept) };
for (const [name] of kept) delete devDependencies[name];
writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`kept: ${kept.map(([name]) => name).join(', ')}`);
