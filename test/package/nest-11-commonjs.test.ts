import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisUrl } from '../support/services/real-services.js';
import { HostCustomer } from './support/customer.js';
import { EVERY_SUBPATH, verifiedBy } from './support/subpaths.js';
import { newVaultKeys, strangeWorld } from './support/strange-world.js';

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
    '@nestjs/typeorm': '11.0.3',
    bull: '4.16.5',
    'class-validator': '0.14.2',
    typescript: '5.9.3',
  },
  compilerOptions: { module: 'commonjs', moduleResolution: 'node10' },
  sources: ['test/package/hosts/tenant.ts', 'test/package/hosts/nest-11.ts', 'test/package/hosts/two-modules.ts'],
});

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
    expect(await queuesUnder(prefix)).toEqual(['data-sinks-wakeup']);
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('holds two modules that do not meet: databases, keys, queues, tokens and paths of their own', async () => {
    const prefix = newPrefix();
    const host = await world().host('two-modules.js', {
      LEFT_DATABASE_URL: await world().database(),
      RIGHT_DATABASE_URL: await world().database(),
      LEFT_VAULT_KEYS: newVaultKeys(),
      RIGHT_VAULT_KEYS: newVaultKeys(),
      REDIS_URL: redisUrl(),
      REDIS_PREFIX: prefix,
    });
    const [left, right] = [HostCustomer.of(host, 'left/api', 'mt_left'), HostCustomer.of(host, 'right', 'mt_right')];
    const endpoints = { left: await world().receiver.endpoint(), right: await world().receiver.endpoint() };
    const sinks = { left: await left.sink(endpoints.left), right: await right.sink(endpoints.right) };

    // The same agent and workspace on both sides, and yet neither knows the other's sink or token.
    expect(await left.call(sinks.right.path)).toMatchObject({ status: 404 });
    expect(await right.call(sinks.left.path)).toMatchObject({ status: 404 });
    expect(await HostCustomer.of(host, 'right', 'mt_left').call(sinks.right.path)).toMatchObject({ status: 401 });

    host.finishJob({ tenant: 'left', jobId: 'job_left', rows: 2 });
    expect(await sinks.left.pushed()).toMatchObject({ signatureIsValid: true, rows: 2 });
    host.finishJob({ tenant: 'right', jobId: 'job_right', rows: 5 });
    expect(await sinks.right.pushed()).toMatchObject({ signatureIsValid: true, rows: 5 });

    // The right side's push came after the left one's, and the left side's worker had time to see both.
    expect([endpoints.left.requests.length, endpoints.right.requests.length]).toEqual([1, 1]);
    expect([await workersOf(sinks.left), await workersOf(sinks.right)]).toEqual([['worker-left'], ['worker-right']]);
    expect(await queuesUnder(prefix)).toEqual(['data-sinks-left', 'data-sinks-right']);
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });
});

async function workersOf(sink: { syncs(): Promise<readonly { readonly workerId: string }[]> }): Promise<string[]> {
  return (await sink.syncs()).map(({ workerId }) => workerId);
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
