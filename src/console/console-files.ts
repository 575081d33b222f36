import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findPackageFile } from '../data-sinks/tools/package-file.js';
import type { PageSettings } from './console.options.js';

/** A file of the page, ready to be sent. */
export interface ConsoleFile {
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
}

/** The built page, kept in memory and compressed once. */
export interface ConsoleFiles {
  /** With the settings inserted on the first request. */
  readonly index: ConsoleFile;
  /** By name. Names contain a hash of the content. */
  readonly assets: ReadonlyMap<string, ConsoleFile>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const PUBLIC = 'src/console/public/index.html';
/**
 * `npm run build:console` writes the files next to this one after compilation; the CommonJS copy and the sources also
 * find them.
 */
const INDEX = ['./public/index.html', `../../../${PUBLIC}`, `../../dist/${PUBLIC}`];

/**
 * @param path the console's path: the page is served there without a trailing slash and finds its assets below it
 * @param settings called once, on the first request of the page
 * @returns null when the page was not built
 */
export function readConsoleFiles(path: string, settings: () => PageSettings): ConsoleFiles | null {
  const { found } = findPackageFile(INDEX, import.meta.url);
  if (found === null) return null;
  const folder = dirname(found);
  const html = readFileSync(join(folder, 'index.html'), 'utf8').replaceAll(
    './assets/',
    `./${path.split('/').at(-1) ?? ''}/assets/`,
  );
  const told = (): Buffer => Buffer.from(html.replace('%SETTINGS%', () => escapeAttribute(JSON.stringify(settings()))));
  let index: ConsoleFile | null = null;
  const names = readdirSync(join(folder, 'assets'));
  return {
    get index() {
      return (index ??= consoleFile('index.html', told()));
    },
    assets: new Map(names.map((name) => [name, consoleFile(name, readFileSync(join(folder, 'assets', name)))])),
  };
}

function consoleFile(name: string, bytes: Buffer): ConsoleFile {
  return {
    contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    bytes,
    gzipped: gzipSync(bytes, { level: 9 }),
  };
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
