import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// eslint-disable-next-line no-restricted-syntax -- vite takes the default export
export default defineConfig({
  root: folder('.'),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder('../../../../dist/src/data-sinks/console/public'),
    emptyOutDir: true,
    target: 'es2022',
    // One script and one style sheet: the page is small, and every screen shares most of it.
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});
