import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { ReceivedRequest } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { redisUrl } from '../../support/services/real-services.js';
import { HostCustomer } from '../../package/support/customer.js';
import { HostProcess } from '../../package/support/host-process.js';
import { nestNewJest } from '../../package/support/nest-new-jest.js';
import { run } from '../../package/support/run.js';
import { bareEnvironment } from '../../package/support/stranger.js';
import { EVERY_SUBPATH, onceOfEach, verifiedBy } from '../../package/support/subpaths.js';
import { newVaultKeys, strangeWorld } from '../../package/support/strange-world.js';
import { keepsTwoModulesApart } from '../../package/support/two-modules.js';

/** As Nest 11's projects were made: CommonJS, the older way to resolve modules, the TypeScript of their time. */
const world = strangeWorld({
  name: 'nest-11',
  type: 'commonjs',
  dependencies: {
    '@nestjs/bull': '11.0.5',
    '@nestjs/common': '11.2.10',
    '@nestjs/core': '11.2.10',
    '@nestjs/event-emitter': '3.1.0',
    '@nestjs/platform-express': '11.2.10',
    '@nestjs/swagger': '11.4.0',
    '@nestjs/throttler': '6.4.0',
    '@nestjs/typeorm': '11.0.3',
    '@types/compression': '1.8.1',
    '@types/express': '5.0.6',
    '@opentelemetry/api': '1.9.1',
    '@opentelemetry/instrumentation': '0.223.0',
    '@opentelemetry/instrumentation-http': '0.223.0',
    '@opentelemetry/instrumentation-undici': '0.33.0',
    '@opentelemetry/sdk-trace-node': '2.12.1',
    bull: '4.16.5',
    'class-validator': '0.14.2',
    compression: '1.8.1',
    esbuild: '0.25.12',
    helmet: '8.1.0',
    jest: '29.7.0',
    'ts-jest': '29.4.5',
    // The oldest of the peer range; the Nest 12 hosts have TypeORM 1.
    typeorm: '0.3.23',
    typescript: '5.9.3',
    webpack: '5.102.1',
  },
  compilerOptions: { module: 'commonjs', moduleResolution: 'node10' },
  sources: [
    'docs/examples/existing-application/existing-application.ts',
    'test/package/hosts/tenant.ts',
    'test/package/hosts/nest-11.ts',
    'test/package/hosts/two-modules.ts',
    'test/package/hosts/nest-11-two-modules.ts',
    'test/package/hosts/nest-11-traced.ts',
  ],
  scripts: ['test/package/hosts/tracing.mjs', 'test/package/hosts/app.spec.ts'],
});

/** For ts-jest, which compiles the host and all types that it names, beside whatever else the machine does. */
const COMPILING_MS = 900_000;

/** What stays outside of a bundle: these load parts of themselves that may not be installed. */
const HOSTS_OWN = ['@nestjs/*', '@opentelemetry/*', 'class-transformer', 'class-validator', 'pg', 'typeorm'];

/** A program that bundles a file into `main.js`. */
function webpackOf(entry: string, folder: string): string {
  const configuration = { mode: 'production', target: 'node', optimization: { minimize: false } };
  return `
    const { resolve } = require('node:path');
    const own = ${JSON.stringify(HOSTS_OWN.map((name) => name.replace('*', '')))};
    const externals = ({ request }, answer) =>
      own.some((name) => request.startsWith(name)) ? answer(null, 'commonjs ' + request) : answer();
    const output = { path: resolve('${folder}') };
    require('webpack')({ ...${JSON.stringify(configuration)}, entry: '${entry}', output, externals }, (error, stats) => {
      if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
    });`;
}

async function pushesOnce(host: HostProcess): Promise<void> {
  const sink = await HostCustomer.of(host, 'api/v1', 'mt_traced').sink(await world().receiver.endpoint());
  host.finishJob({ jobId: 'job_bundled', rows: 3 });
  expect(await sink.pushed()).toMatchObject({ signatureIsValid: true, rows: 3 });
  expect(['SIGTERM', 0]).toContain(await host.stop());
}

/** Redis is shared by all tests. */
const newPrefix = (): string => `{stranger-${randomBytes(6).toString('hex')}}`;

describe('a Nest 11 host in CommonJS', () => {
  it('compiles strictly, and checks the libraries’ types too', () => {
    expect(world().diagnostics).toEqual([]);
  });

  it.each(['import', 'require'] as const)('gets at every subpath by %s', async (way) => {
    const subpaths = ['.', './bull', './testing', './receiver', './package.json'];
    expect(await world().stranger.node(...EVERY_SUBPATH[way](subpaths))).toEqual({ code: 0, output: '' });
  });

  it('has one copy of every class, imported and required in one process', async () => {
    const subpaths = ['.', './bull', './testing', './receiver'];
    expect(await world().stranger.node(...onceOfEach(subpaths))).toEqual({ code: 0, output: '' });
  });

  it(
    'is tested by its own Jest, which loads CommonJS alone',
    async () => {
      const { code, output } = await run(
        process.execPath,
        ['node_modules/jest/bin/jest.js', '--config', nestNewJest('app')],
        {
          cwd: world().stranger.directory,
          env: { ...bareEnvironment(), DATABASE_URL: await world().database(), VAULT_KEYS: newVaultKeys() },
        },
      );
      expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/Tests: +2 passed, 2 total/) });
    },
    COMPILING_MS,
  );

  it('bundled by esbuild says which file to copy, and runs with it', async () => {
    const { stranger } = world();
    const external = HOSTS_OWN.map((name) => `--external:${name}`);
    const options = ['dist/nest-11-traced.js', '--bundle', '--platform=node', '--outfile=dist/esbuild/host.js'];
    const bundled = await run('node_modules/.bin/esbuild', [...options, ...external, '--log-level=error'], {
      cwd: stranger.directory,
    });
    expect(bundled).toEqual({ code: 0, output: '' });
    const settings = { DATABASE_URL: await world().database(), VAULT_KEYS: newVaultKeys() };
    const refused = HostProcess.launch(stranger, 'esbuild/host.js', settings);
    expect(await refused.ended()).toBe(1);
    const [, file = ''] = /copy (\S+body-thread\.cjs) beside the bundle/.exec(refused.output) ?? [];
    await cp(join(stranger.directory, file), join(stranger.directory, 'dist/esbuild/body-thread.cjs'));
    await pushesOnce(await world().host('esbuild/host.js', settings));
  });

  it('bundled by webpack runs', async () => {
    const { stranger } = world();
    expect(await stranger.node('--eval', webpackOf('./dist/nest-11-traced.js', 'dist/webpack'))).toEqual({
      code: 0,
      output: '',
    });
    const settings = { DATABASE_URL: await world().database(), VAULT_KEYS: newVaultKeys() };
    await pushesOnce(await world().host('webpack/main.js', settings));
  });

  it('pushes what it commits in its own transaction, woken by its own Bull', async () => {
    const prefix = newPrefix();
    const host = await world().host('nest-11.js', {
      DATABASE_URL: await world().database(),
      REDIS_URL: redisUrl(),
      REDIS_PREFIX: prefix,
      VAULT_KEYS: newVaultKeys(),
    });
    const sink = await HostCustomer.of(host, 'api/v1', 'mt_nest_11').sink(await world().receiver.endpoint());
    host.finishJob({ jobId: 'job_nest_11', rows: 3 });

    const push = await sink.pushed();
    expect(push).toMatchObject({ signatureIsValid: true, rows: 3 });
    expect(await verifiedBy(world().stranger, 'require', push, sink.secret)).toMatchObject({
      form: 'standard-webhooks',
    });
    await hasQueues(prefix, ['data-sinks-wakeup']);
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('with OpenTelemetry’s http and undici instrumentation tells a receiver what its sink asks for and no more', async () => {
    const settings = { DATABASE_URL: await world().database(), VAULT_KEYS: newVaultKeys() };
    const host = await world().host('nest-11-traced.js', settings, ['--import', './tracing.mjs']);
    const customer = HostCustomer.of(host, 'api/v1', 'mt_traced');
    const quiet = await world().receiver.endpoint();
    const told = await world().receiver.endpoint();
    const off = await customer.sink(quiet);
    const on = await customer.sink(told, { sendTraceparent: true });
    for (const sink of [off, on]) expect(await customer.post(`${sink.path}/test`, '')).toMatchObject({ status: 200 });
    host.finishJob({ jobId: 'job_traced', rows: 1 });
    await Promise.all([off.pushed(), on.pushed()]);

    expect(quiet.requests.map(tracingHeaders)).toEqual([[], []]);
    expect(told.requests.map((request) => tracingHeaders(request).map(([name]) => name))).toEqual([
      ['traceparent'],
      ['traceparent'],
    ]);
    const sent = told.requests.map((request) => tracingHeaders(request)[0]?.[1].split('-')[1]);
    expect(['SIGTERM', 0]).toContain(await host.stop());

    const spans = JSON.parse(/^spans (.*)$/m.exec(host.output)?.[1] ?? '[]') as readonly TracedSpan[];
    expect(spans.filter(({ name }) => name === 'data_sinks.attempt')).toHaveLength(2);
    expect(spans.find(({ name }) => name === 'finishes a job')?.traceId).toBe(sent[1]);
    // No second span for the same request, with the address that may hold a token.
    expect(spans.filter(({ port }) => String(port) === new URL(told.url).port)).toEqual([]);
    // The host's own calls and answers are traced as ever.
    expect(JSON.parse(/^own call (.*)$/m.exec(host.output)?.[1] ?? '{}')).toMatchObject({
      traceparent: expect.any(String),
      baggage: expect.stringContaining('somebody'),
    });
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['GET', 'POST']));
  });

  it('changes none of our answers with all that docs/existing-application.md names, nor we its own', async () => {
    const host = await world().host('existing-application.js', {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
      ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8',
    });
    const credentials = { Authorization: 'Bearer mt_demo' };
    const customer = new HostCustomer(`${host.origin}/api/v1`, credentials, 'agt_1');
    const sink = await customer.sink(await world().receiver.endpoint());
    const pushed = await customer.post(`${sink.path}/pushes`, '{"jobId":"job_1"}');
    expect([pushed.status, JSON.parse(pushed.text)]).toEqual([202, expect.objectContaining({ jobId: 'job_1' })]);
    const push = await sink.pushed();
    // More than the host's throttler lets through.
    for (const wrong of ['limit=abc', 'limit=0', 'cursor=x', 'unknown=1']) {
      const refused = await customer.call(`${sink.path}/deliveries?${wrong}`);
      expect([refused.contentType, JSON.parse(refused.text)]).toEqual([
        'application/problem+json',
        expect.objectContaining({ type: expect.stringMatching(/errors\/(validation-failed|invalid-cursor)$/) }),
      ]);
    }
    const { id } = JSON.parse(pushed.text) as { id: string };
    const headers = { ...credentials, 'Accept-Encoding': 'gzip' };
    const download = await fetch(`${host.origin}/api/v1/deliveries/${id}/payload`, { headers });
    expect(Object.fromEntries(download.headers)).toMatchObject({
      'cache-control': 'no-store, no-transform',
      'content-digest': push.headers['content-digest'],
      'content-length': String(push.bytes),
    });
    expect(download.headers.get('content-encoding')).toBeNull();
    expect((await download.text()).length).toBe(push.bytes);

    const page = await fetch(`${host.origin}/console`);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringMatching(/'none'/)]);
    expect(await page.text()).toContain('&quot;api&quot;:&quot;api/v1&quot;');

    const own = new HostCustomer(`${host.origin}/api/v1`, { Cookie: 'session=alice' });
    expect(await own.call('hello')).toMatchObject({ status: 200, text: '{"success":true,"data":"hello"}' });
    expect(await customer.call('hello')).toMatchObject({ status: 401, text: '{"success":false,"status":401}' });
    expect(host.output).not.toMatch(/WARN|ERROR/);
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('holds two modules that do not meet: databases, keys, queues, tokens and paths of their own', async () => {
    const prefix = newPrefix();
    const environment = { REDIS_URL: redisUrl(), REDIS_PREFIX: prefix };
    await keepsTwoModulesApart(world(), 'nest-11-two-modules.js', environment, () =>
      hasQueues(prefix, ['data-sinks-left', 'data-sinks-right']),
    );
  });
});

/** Waits until Bull has keys of these queues and no others: of a queue without jobs it has one while a worker waits for some. */
async function hasQueues(prefix: string, queues: readonly string[]): Promise<void> {
  await until(async () => (await queuesUnder(prefix)).join() === queues.join(), `Bull has keys of ${queues.join()}`);
}

/** The queues that Bull has keys of. */
async function queuesUnder(prefix: string): Promise<string[]> {
  const redis = new Redis(redisUrl());
  try {
    const keys = await redis.keys(`${prefix}:*`);
    return [...new Set(keys.map((key) => key.slice(prefix.length + 1).split(':')[0] ?? ''))].sort();
  } finally {
    redis.disconnect();
  }
}

interface TracedSpan {
  readonly name: string;
  readonly traceId: string;
  /** Of the server that was called, or that answered. */
  readonly port?: number;
}

/** Of a request, what tracing systems send along, as it was written. */
function tracingHeaders({ rawHeaders }: ReceivedRequest): (readonly [name: string, value: string])[] {
  const pairs = rawHeaders.flatMap((text, i) =>
    i % 2 === 0 ? [[text.toLowerCase(), rawHeaders[i + 1] ?? ''] as const] : [],
  );
  return pairs.filter(([name]) => ['traceparent', 'tracestate', 'baggage'].includes(name));
}
