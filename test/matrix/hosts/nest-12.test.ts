import { describe, expect, it } from '@jest/globals';
import { sinkBody } from '../../support/platform/customer.js';
import { forgottenPort, PORTS } from '../../package/support/forgotten-port.js';
import { HostCustomer } from '../../package/support/customer.js';
import { HostProcess } from '../../package/support/host-process.js';
import { EVERY_SUBPATH, onceOfEach, verifiedBy } from '../../package/support/subpaths.js';
import { newVaultKeys, strangeWorld } from '../../package/support/strange-world.js';
import { keepsTwoModulesApart } from '../../package/support/two-modules.js';

const LOOPBACK = '127.0.0.0/8';
const PROBLEM = 'application/problem+json';

const world = strangeWorld({
  name: 'nest-12',
  type: 'module',
  dependencies: {
    '@nestjs/common': '12.5.1',
    '@nestjs/core': '12.5.1',
    '@nestjs/event-emitter': '12.0.1',
    '@nestjs/platform-express': '12.5.1',
    '@nestjs/platform-fastify': '12.5.0',
    '@nestjs/swagger': '12.0.2',
    '@nestjs/typeorm': '12.0.2',
    'class-validator': '0.15.1',
    typescript: '6.0.3',
  },
  compilerOptions: { module: 'nodenext' },
  sources: [
    'docs/examples/minimal-host/host.ts',
    'test/package/hosts/tenant.ts',
    'test/package/hosts/nest-12-express.ts',
    'test/package/hosts/nest-12-fastify.ts',
    'test/package/hosts/two-modules.ts',
    'test/package/hosts/nest-12-two-modules.ts',
  ],
  texts: { 'forgotten-port.ts': forgottenPort() },
});

describe('what a Nest 12 host compiles', () => {
  it('is strict, checks the libraries’ types too, and finds only the ports that were forgotten on purpose', () => {
    expect(world().diagnostics.filter((line) => !line.startsWith('forgotten-port.ts'))).toEqual([]);
  });

  it.each(PORTS)('needs the port %s', (port) => {
    const told = world().diagnostics.filter((line) => line.startsWith('forgotten-port.ts'));
    expect(
      told.filter((line) => line.includes(`Property '${port}' is missing`) && line.includes('DataSinksPorts')),
    ).toHaveLength(1);
    expect(told).toHaveLength(PORTS.length);
  });
});

describe('a Nest 12 host', () => {
  it.each(['import', 'require'] as const)('gets at every subpath that it has the peers of by %s', async (way) => {
    const found = await world().stranger.node(
      ...EVERY_SUBPATH[way](['.', './testing', './receiver', './package.json']),
    );
    expect(found).toEqual({ code: 0, output: '' });
  });

  it('has one copy of every class, imported and required in one process', async () => {
    const subpaths = ['.', './testing', './receiver'];
    expect(await world().stranger.node(...onceOfEach(subpaths))).toEqual({ code: 0, output: '' });
  });

  it('has the command data-sinks', async () => {
    const { code, output } = await world().stranger.node('node_modules/.bin/data-sinks', '--help');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('data-sinks listen') });
  });

  it('needs no Bull: the minimal host of the docs starts without it and pushes', async () => {
    const { stranger, receiver } = world();
    expect([await stranger.has('bull/package.json'), await stranger.has('@nestjs/bull/package.json')]).toEqual([
      false,
      false,
    ]);
    const host = await world().host('host.js', {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
      ALLOW_PRIVATE_ENDPOINTS: LOOPBACK,
    });
    const customer = new HostCustomer(`${host.origin}/api/v1`, { Authorization: 'Bearer mt_demo' }, 'agt_1');
    const sink = await customer.sink(await receiver.endpoint());
    expect((await fetch(`${host.origin}/jobs/finish`, { method: 'POST' })).status).toBe(201);

    const push = await sink.pushed();
    expect(push).toMatchObject({ signatureIsValid: true, rows: 1 });
    expect(await verifiedBy(stranger, 'import', push, sink.secret)).toMatchObject({
      deliveryId: push.headers['x-mt-delivery-id'],
    });
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('needs nothing of Parquet: a sink that asks for it is refused with what to install', async () => {
    const { stranger, receiver } = world();
    expect(await stranger.has('hyparquet-writer/package.json')).toBe(false);
    const host = await world().host('host.js', {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
      ALLOW_PRIVATE_ENDPOINTS: LOOPBACK,
    });
    const customer = new HostCustomer(`${host.origin}/api/v1`, { Authorization: 'Bearer mt_demo' }, 'agt_1');
    const body = JSON.stringify(sinkBody((await receiver.endpoint()).url, { format: 'PARQUET' }));
    const { status, text } = await customer.post('agents/agt_1/data-sources', body);
    const detail = expect.stringMatching(/run: npm install hyparquet-writer$/);
    expect([status, JSON.parse(text)]).toEqual([
      422,
      expect.objectContaining({ errors: [{ pointer: '/format', detail }] }),
    ]);
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('on Express pushes what finishes, behind its own guard, with its own services in the ports', async () => {
    const host = await world().host('nest-12-express.js', {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
    });
    const customer = new HostCustomer(`${host.origin}/api/v1`, { Cookie: 'session=abc' });
    const nobody = new HostCustomer(`${host.origin}/api/v1`, {});
    const sink = await customer.sink(await world().receiver.endpoint());
    expect(await nobody.call(sink.path)).toMatchObject({
      status: 401,
      contentType: PROBLEM,
      text: expect.stringContaining('Sign in first.'),
    });
    await readsBodies(customer, sink.path);
    await leavesFormsAlone(new HostCustomer(host.origin, { Cookie: 'session=abc' }));

    host.finishJob({ jobId: 'job_express', rows: 3 });
    expect(await sink.pushed()).toMatchObject({ signatureIsValid: true, rows: 3 });
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('on Fastify pushes what finishes, under its global prefix and version, with autoLoadEntities', async () => {
    const host = await world().host('nest-12-fastify.js', {
      DATABASE_URL: await world().database(),
      VAULT_KEYS: newVaultKeys(),
    });
    const customer = HostCustomer.of(host, 'platform/v1', 'mt_fastify');
    const sink = await customer.sink(await world().receiver.endpoint());
    expect(await HostCustomer.of(host, 'platform/v1', 'mt_wrong').call(sink.path)).toMatchObject({
      status: 401,
      contentType: PROBLEM,
    });
    await readsBodies(customer, sink.path);
    await leavesFormsAlone(customer);

    host.finishJob({ jobId: 'job_fastify', rows: 3 });
    expect(await sink.pushed()).toMatchObject({ signatureIsValid: true, rows: 3 });
    expect(['SIGTERM', 0]).toContain(await host.stop());
  });

  it('holds two modules that do not meet: databases, keys, tokens and paths of their own', async () => {
    await keepsTwoModulesApart(world(), 'nest-12-two-modules.js');
  });

  it.each([
    [
      'a vault key that is too short',
      { VAULT_KEYS: 'k1:c2hvcnQ=' },
      'Entry 1 of the option vaultKeys has a key of 5 bytes and not of 32',
    ],
    ['no vault key', {}, 'the option vaultKeys is empty'],
    [
      'a range that is none',
      { VAULT_KEYS: newVaultKeys(), ALLOW_PRIVATE_ENDPOINTS: '10.0.0.0' },
      '"10.0.0.0" is not a CIDR range',
    ],
  ])('does not start with %s, and says so', async (_, environment, message) => {
    const settings = { DATABASE_URL: await world().database(), ...environment };
    const host = HostProcess.launch(world().stranger, 'host.js', settings);
    expect(await host.ended()).toBe(1);
    expect(host.output).toContain(message);
  });
});

/** As the contract says, whatever the host's framework does with bodies. */
async function readsBodies(customer: HostCustomer, sinkPath: string): Promise<void> {
  const sinks = sinkPath.slice(0, sinkPath.lastIndexOf('/'));
  const problems = await Promise.all([
    customer.post(sinks, '{"name": '),
    customer.post(sinks, '{"name": ', 'application/json'),
    customer.post(sinks, '{"__proto__": {"role": "RESULTS_SINK"}}', 'application/json'),
    customer.post(sinks, 'name=sink'),
    customer.post(sinks, '<sink/>', 'application/xml'),
    customer.post(sinks, JSON.stringify({ name: 'x'.repeat(70_000) })),
  ]);
  expect(problems.map(({ status, contentType }) => [status, contentType])).toEqual(
    [400, 400, 422, 415, 415, 413].map((status) => [status, PROBLEM]),
  );
  // Clients declare JSON also where they send nothing.
  const tested = await customer.call(`${sinkPath}/test`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
  });
  expect(tested).toMatchObject({ status: 200 });
}

async function leavesFormsAlone(customer: HostCustomer): Promise<void> {
  const { status, text } = await customer.post('deliveries-of-food', 'dish=soup');
  expect([status, JSON.parse(text)]).toEqual([201, { dish: 'soup' }]);
}
