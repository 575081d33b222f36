import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// eslint-disable-next-line no-restricted-syntax -- vite takes the default export
export default defineConfig({
  root: folder('.'),
  base: './',
  cacheDir: folder('../../../dist/console/vite'),
  // `npm run dev:console`: live reload, with the API of a host that runs beside it.
  server: { port: 5173, proxy: { '/api': process.env['HOST_URL'] ?? 'http://127.0.0.1:3000' } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder('../../../dist/src/console/public'),
    emptyOutDir: true,
    target: 'es2022',
    // One script and one style sheet: the page is small, and its screens share most code.
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});
