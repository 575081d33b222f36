import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Candidate paths of a package file, and the one that exists. */
export interface PackageFile {
  /** Null when none exists. */
  readonly found: string | null;
  /** In the order in which they were tried. */
  readonly places: readonly string[];
}

/**
 * Finds a file that is read at run time: next to the file that needs it or, when a bundler merged that one, next to the
 * bundle.
 * @param names relative to the file that needs it
 * @param url that file's `import.meta.url`. In CommonJS, esbuild makes it undefined; webpack keeps the build-time path
 */
export function findPackageFile(names: readonly string[], url: string | undefined): PackageFile {
  const places = url === undefined ? [] : names.map((name) => fileURLToPath(new URL(name, url)));
  const [name = ''] = names;
  for (const folder of bundleFolders()) places.push(join(folder, name));
  const distinct = [...new Set(places)];
  return { found: distinct.find((place) => existsSync(place)) ?? null, places: distinct };
}

/**
 * Finds an optional package, as the file that needs it would import it or, when a bundler merged that one, as the bundle
 * would.
 * @param url that file's `import.meta.url`, as in `findPackageFile()`
 * @returns the URL of its main module; null when it is not installed
 */
export function findPackage(name: string, url: string | undefined): string | null {
  const froms = [...(url === undefined ? [] : [url]), ...bundleFolders().map((folder) => join(folder, 'bundle.js'))];
  for (const from of froms) {
    try {
      return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // Not from there.
    }
  }
  return null;
}

function bundleFolders(): readonly string[] {
  const [, program] = process.argv;
  // Defined in CommonJS only.
  const own = typeof __dirname === 'string' ? [__dirname] : [];
  return program === undefined ? own : [...own, dirname(program)];
}
