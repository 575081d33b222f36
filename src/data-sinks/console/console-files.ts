import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { PageSettings } from './console.options.js';

/** A file of the page, ready to be sent. */
export interface ConsoleFile {
  readonly contentType: string;
  readonly etag: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
}

/** The page as it was built. It is small: all of it is kept in memory, and compressed once. */
export interface ConsoleFiles {
  /** With the settings as they were when it was first asked for. */
  readonly index: ConsoleFile;
  /** By name. Their names carry a hash of what is in them. */
  readonly assets: ReadonlyMap<string, ConsoleFile>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** `npm run build:console` writes them beside this file once compiled; code that runs from its sources finds them too. */
const FOLDERS = ['./public/', '../../../dist/src/data-sinks/console/public/'];

/**
 * @param path the console's path: the page is served there without a slash at its end, and finds its assets below it
 * @param settings asked for once, with the first request of the page
 * @returns null when the page was not built
 */
export function readConsoleFiles(path: string, settings: () => PageSettings): ConsoleFiles | null {
  const folder = FOLDERS.map((name) => fileURLToPath(new URL(name, import.meta.url))).find((name) =>
    existsSync(join(name, 'index.html')),
  );
  if (folder === undefined) return null;
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
