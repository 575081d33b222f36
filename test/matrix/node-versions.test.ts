import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { HostCustomer } from '../package/support/customer.js';
import { run } from '../package/support/run.js';
import { newVaultKeys, strangeWorld } from '../package/support/strange-world.js';
import { bareEnvironment } from '../package/support/stranger.js';
import { onceOfEach } from '../package/support/subpaths.js';
import { WRITE_FILE, WRITTEN } from '../support/parquet/written.js';

/** The oldest that `engines` allows, and the newest of each line that is maintained. Packages that carry the program itself. */
const VERSIONS = ['20.19.0', '22.23.5', '24.22.3'] as const;
const CARRIER = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const world = strangeWorld({
  name: 'node-versions',
  type: 'module',
  dependencies: {
    ...Object.fromEntries(VERSIONS.map((version) => [`node-${version}`, `npm:${CARRIER}@${version}`])),
    '@nestjs/common': '12.5.1',
    '@nestjs/core': '12.5.1',
    '@nestjs/event-emitter': '12.0.1',
    '@nestjs/platform-express': '12.5.1',
    '@nestjs/swagger': '12.0.2',
    '@nestjs/typeorm': '12.0.2',
    'class-validator': '0.15.1',
    fflate: '0.8.3',
    'hyparquet-writer': '0.17.0',
    typescript: '6.0.3',
  },
  compilerOptions: { module: 'nodenext' },
  sources: ['docs/examples/minimal-host/host.ts'],
});

const program = (version: string): string =>
  join(world().stranger.directory, 'node_modules', `node-${version}`, 'bin', 'node');

describe.each(VERSIONS)('on Node %s', (version) => {
  it('the package has one copy of every class, imported and required in one process', async () => {
    const { directory } = world().stranger;
    const options = { cwd: directory, env: bareEnvironment() };
    expect(await run(program(version), ['--version'], options)).toEqual({ code: 0, output: `v${version}\n` });
    const subpaths = ['.', './testing', './receiver'];
    expect(await run(program(version), onceOfEach(subpaths), options)).toEqual({ code: 0, output: '' });
  });

  it('a Parquet file has the bytes that it has with every other', async () => {
    const { directory } = world().stranger;
    const thread = join(directory, 'node_modules/nestjs-data-sinks/dist/body-thread.cjs');
    const written = await run(program(version), [WRITE_FILE, thread, join(directory, 'package.json')], {
      cwd: directory,
      env: bareEnvironment(),
    });
    expect(written).toEqual({ code: 0, output: WRITTEN });
  });

  it('the minimal host of the docs starts and pushes', async () => {
    const settings = {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
      ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8',
    };
    const host = await world().host('host.js', settings, [], program(version));
    const customer = new HostCustomer(`${host.origin}/api/v1`, { Authorization: 'Bearer mt_demo' }, 'agt_1');
    const sink = await customer.sink(await world().receiver.endpoint());
    expect((await fetch(`${host.origin}/jobs/finish`, { method: 'POST' })).status).toBe(201);
    expect(await sink.pushed()).toMatchObject({ signatureIsValid: true, rows: 1 });
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });
});
