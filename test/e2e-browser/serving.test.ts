import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type VersioningOptions, VersioningType } from '@nestjs/common';
import { get } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type ConsoleHost, type Framework, startConsoleHost } from '../support/browser/console-host.js';
import { buildConsole } from '../support/browser/suite-console.js';

const MAX_GZIPPED_BYTES = 150 * 1024;

let host: ConsoleHost | null = null;

beforeAll(buildConsole);
afterEach(async () => {
  await host?.close();
  host = null;
});

interface Served {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

/** Without what `fetch` does by itself: no redirects followed, nothing inflated. */
function load(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Served> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
      );
    }).on('error', reject);
  });
}

function assetsOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path = '']) => path);
}

describe.each<[Framework]>([['Express'], ['Fastify']])('the console on %s', (framework) => {
  it('is served with a strict Content-Security-Policy and is asked for anew each time', async () => {
    host = await startConsoleHost(framework, '/console');
    const { status, headers, bytes } = await load(`${host.url}/console`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(bytes.toString()).not.toMatch(/<script>|<style|style=| on[a-z]+=/);
    const again = await load(`${host.url}/console`, { 'If-None-Match': String(headers['etag']) });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
  });

  it('has assets that are kept for a year, compressed, and nothing else', async () => {
    host = await startConsoleHost(framework, '/console');
    const html = (await load(`${host.url}/console`)).bytes.toString();
    const assets = assetsOf(html);
    expect(assets).toHaveLength(3);
    for (const path of assets) {
      const { status, headers } = await load(`${host.url}/${path}`, { 'Accept-Encoding': 'gzip, br' });
      expect([status, headers['content-encoding'], headers['x-content-type-options']]).toEqual([
        200,
        'gzip',
        'nosniff',
      ]);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      const plain = await load(`${host.url}/${path}`);
      expect([plain.status, plain.headers['content-encoding']]).toEqual([200, undefined]);
    }
    expect((await load(`${host.url}/console/assets/none.js`)).status).toBe(404);
    expect((await load(`${host.url}/console/assets/..%2findex.html`)).status).toBe(404);
  });

  it('is found below the host’s prefix, at any depth', async () => {
    host = await startConsoleHost(framework, 'tools/sinks', { prefix: 'ops' });
    const { bytes } = await load(`${host.url}/ops/tools/sinks`);
    const html = bytes.toString();
    expect(html).toContain('&quot;api&quot;:&quot;../api/v1&quot;');
    for (const path of assetsOf(html)) expect((await load(`${host.url}/ops/tools/${path}`)).status).toBe(200);
  });
});

const SETTINGS = /name="data-sinks-console" content="([^"]+)"/;

describe('the API that the page is told of', () => {
  it.each<[string, VersioningOptions, string]>([
    ['a default version', { type: VersioningType.URI, defaultVersion: '2' }, '/api/v2/sinks/agents'],
    [
      'one of several',
      { type: VersioningType.URI, defaultVersion: ['3', '2'], prefix: 'ver' },
      '/api/ver3/sinks/agents',
    ],
    ['no version', { type: VersioningType.URI }, '/api/sinks/agents'],
    ['a version in a media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }, '/api/sinks/agents'],
  ])('is where the host has it: under %s', async (_what, versioning, expected) => {
    const addresses = { prefix: 'api', versioning, apiPath: 'sinks' };
    host = await startConsoleHost('Express', { path: 'ui/console', session: {} }, addresses);
    const page = `${host.url}/api/ui/console`;
    const [, settings = ''] = SETTINGS.exec((await load(page)).bytes.toString()) ?? [];
    const { api } = JSON.parse(settings.replaceAll('&quot;', '"')) as { api: string };
    const agents = new URL(`${api}/agents`, page);
    expect(agents.pathname).toBe(expected);
    const { status } = await load(agents.href, { Cookie: 'session=alice', 'X-Data-Sinks-Console': '1' });
    expect(status).toBe(200);
  });
});

describe('the console', () => {
  it('has one address: with a slash at its end it leads there', async () => {
    host = await startConsoleHost('Express', '/console', { prefix: 'ops' });
    const { status, headers } = await load(`${host.url}/ops/console/`);
    expect(status).toBe(302);
    expect(new URL(String(headers['location']), `${host.url}/ops/console/`).pathname).toBe('/ops/console');
  });

  it('weighs less than 150 KB in all, gzipped', async () => {
    host = await startConsoleHost('Express', '/console');
    const page = (await load(`${host.url}/console`)).bytes;
    const { url } = host;
    const files = await Promise.all(
      assetsOf(page.toString()).map(async (path) => ({ path, bytes: (await load(`${url}/${path}`)).bytes })),
    );
    const weights = [{ path: 'console', bytes: page }, ...files].map(({ path, bytes }) => ({
      path,
      gzipped: gzipSync(bytes, { level: 9 }).length,
    }));
    const total = weights.reduce((sum, { gzipped }) => sum + gzipped, 0);
    process.stdout.write(
      `console: ${(total / 1024).toFixed(1)} KB gzipped in ${weights.length} files, of 150 KB allowed\n`,
    );
    expect(total).toBeLessThan(MAX_GZIPPED_BYTES);
  });
});
