import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestMethod, VersioningType } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import type { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../src/data-sinks/index.js';
import { buildConsole } from '../support/browser/suite-console.js';
import { ask } from '../support/guest/ask.js';
import {
  AGENT,
  type Framework,
  type GuestHost,
  type GuestHostRequest,
  startGuestHost,
} from '../support/guest/guest-host.js';
import { openMigratedPglite } from '../support/pglite-template.js';
import { until } from '../support/platform/until.js';

const SINKS = `/api/v1/agents/${AGENT}/data-sources`;
const PROBLEM = 'application/problem+json';

let database: DataSource;
let host: GuestHost | null = null;

beforeAll(async () => {
  buildConsole();
  database = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
}, 600_000);
afterAll(() => database?.destroy());
afterEach(async () => {
  await host?.close();
  host = null;
});

async function start(
  framework: Framework,
  more: Omit<GuestHostRequest, 'framework' | 'database'> = {},
): Promise<GuestHost> {
  host = await startGuestHost({ framework, database, ...more, module: { worker: false, console: 'console' } });
  return host;
}

const SETTINGS = /name="data-sinks-console" content="([^"]+)"/;

/** Goes from the page's address to the API as the page does. */
async function apiFromConsole(page: string): Promise<string> {
  const { text } = await ask(new URL(page).origin, { path: new URL(page).pathname });
  const [, settings = ''] = SETTINGS.exec(text) ?? [];
  const { api } = JSON.parse(settings.replaceAll('&quot;', '"')) as { api: string };
  return new URL(api, page).pathname.replace(/\/$/, '');
}

describe.each<[Framework]>([['Express'], ['Fastify']])('on %s', (framework) => {
  it.each<[string, GuestHostRequest['configure'], string, string]>([
    ['nothing', undefined, '/console', '/api/v1'],
    ['a prefix', (app) => app.setGlobalPrefix('ops'), '/ops/console', '/ops/api/v1'],
    [
      'a prefix that the console is excepted from',
      (app) => app.setGlobalPrefix('ops', { exclude: ['console', 'console/*path'] }),
      '/console',
      '/ops/api/v1',
    ],
    [
      'a prefix that the API is excepted from',
      (app) => app.setGlobalPrefix('ops/deep', { exclude: [{ path: 'api/v1/*path', method: RequestMethod.ALL }] }),
      '/ops/deep/console',
      '/api/v1',
    ],
    [
      'URI versions with several defaults',
      (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: ['2', '1'], prefix: 'ver' }),
      '/console',
      '/ver2/api/v1',
    ],
    [
      'URI versions without a default',
      (app) => app.enableVersioning({ type: VersioningType.URI }),
      '/console',
      '/api/v1',
    ],
    [
      'versions in a header',
      (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version', defaultVersion: '2' }),
      '/console',
      '/api/v1',
    ],
    [
      'versions in the media type',
      (app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=', defaultVersion: '2' }),
      '/console',
      '/api/v1',
    ],
    [
      'versions that the host reads by itself',
      (app) => app.enableVersioning({ type: VersioningType.CUSTOM, extractor: () => ['9'], defaultVersion: '2' }),
      '/console',
      '/api/v1',
    ],
  ])('the console finds the API: with %s', async (_what, configure, page, api) => {
    const own = await start(framework, { ...(configure && { configure }) });
    expect(await apiFromConsole(`${own.origin}${page}`)).toBe(api);
    expect((await own.ask({ path: `${api}/agents/${AGENT}/data-sources` })).status).toBe(200);
    const curl = { method: 'POST', path: `${api}/agents/${AGENT}/data-sources`, body: '{' };
    expect(JSON.parse((await own.ask(curl)).text)).toMatchObject({ status: 400, title: 'The body is not valid JSON' });
  });

  it('the console finds the API below the path of a proxy that the host does not know', async () => {
    const own = await start(framework);
    const proxy = createServer((request, response) => {
      const path = String(request.url).replace(/^\/tools\/x/, '');
      void ask(own.origin, { path, headers: { 'X-Forwarded-Prefix': '/evil' } }).then(({ status, text, headers }) => {
        response.writeHead(status, { ...(headers['location'] && { Location: headers['location'] }) }).end(text);
      });
    });
    await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expect(await apiFromConsole(`${origin}/tools/x/console`)).toBe('/tools/x/api/v1');
    const { text } = await ask(origin, { path: '/tools/x/console' });
    expect(text).not.toContain('evil');
    for (const [, asset = ''] of text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
      expect((await ask(origin, { path: `/tools/x/${asset}` })).status).toBe(200);
    }
    proxy.close();
  });
});

describe('on Express', () => {
  it('the module is found below the path that the host’s application is mounted at', async () => {
    const own = await start('Express');
    const outer = express();
    outer.use('/x', (own.app as NestExpressApplication).getHttpAdapter().getInstance() as express.Express);
    const server = outer.listen(0, '127.0.0.1');
    await until(() => server.listening, 'it listens');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await apiFromConsole(`${origin}/x/console`)).toBe('/x/api/v1');
    expect((await ask(origin, { path: '/x/console/' })).headers['location']).toBe('../console');
    const posted = await ask(origin, { method: 'POST', path: `/x${SINKS}`, body: ' '.repeat(70_000) });
    expect([posted.status, posted.headers['content-type']]).toEqual([413, PROBLEM]);
    server.close();
  });
});
