import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisUrl } from '../support/services/real-services.js';
import { HostCustomer } from './support/customer.js';
import { EVERY_SUBPATH, verifiedBy } from './support/subpaths.js';
import { newVaultKeys, strangeWorld } from './support/strange-world.js';
import { keepsTwoModulesApart } from './support/two-modules.js';

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
  sources: [
    'test/package/hosts/tenant.ts',
    'test/package/hosts/nest-11.ts',
    'test/package/hosts/two-modules.ts',
    'test/package/hosts/nest-11-two-modules.ts',
  ],
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
    await keepsTwoModulesApart(world(), 'nest-11-two-modules.js', { REDIS_URL: redisUrl(), REDIS_PREFIX: prefix });
    expect(await queuesUnder(prefix)).toEqual(['data-sinks-left', 'data-sinks-right']);
  });
});

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
